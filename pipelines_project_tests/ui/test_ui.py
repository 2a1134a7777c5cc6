"""What a person does by day in the UI that `make dev` starts, in a real browser, and what it shows.

A backfill is launched first and looked at last, because the daemon takes a minute for it.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.server import serving
from pipelines_project.sandbox.services import service_settings, services_app
from pipelines_project_tests.landings import ids_ago, write_load
from pipelines_project_tests.ui.dev import Dev, make_dev
from pipelines_project_tests.ui.pages import Ui, browser_page

pytestmark = pytest.mark.browser

_GAMES, _EVENTS = "landing/chess/games", "landing/local_jsonl/synthetic_data"


def _write_raw_files(folder: Path) -> None:
    """Give January to March five events each, and February a line that is cut off."""
    for month in ("2026-01", "2026-02", "2026-03"):
        lines = [json.dumps({"event_id": n, "amount": n / 2}) for n in range(5)]
        file = folder / "synthetic_data" / month / "part-0001.jsonl"
        file.parent.mkdir(parents=True)
        cut_off = ['{"event_id": 6, "amo'] if month == "2026-02" else []
        file.write_text("\n".join([*lines, *cut_off]) + "\n")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    folder = tmp_path_factory.mktemp("dev")
    settings = {
        "CHESS_PLAYERS": "erik,hikaru",
        "CHESS_CONTACT": "tests@example.com",
        **{f"{source}_START_MONTH": "2026-01" for source in ("CHESS", "FRESHDESK", "LOCAL_JSONL")},
    }
    with (
        serving(services_app(games_per_month=5)) as services,
        make_dev(folder, **service_settings(services), **settings) as running,
    ):
        _write_raw_files(folder / "data" / "raw")
        yield running


@pytest.fixture(scope="module")
def ui(dev: Dev) -> Iterator[Ui]:
    with browser_page() as page:
        shown = Ui(dev.url, page)
        shown.materialize(_EVENTS, "2026-01, 2026-03")
        page.get_by_text(re.compile("Created backfill|Launched backfill")).wait_for()
        yield shown


def test_the_ui_answers_on_this_machines_own_address_only(dev: Dev) -> None:
    assert requests.get(dev.url, timeout=30).ok

    with pytest.raises(requests.ConnectionError):
        requests.get(dev.url.replace("127.0.0.1", "127.0.0.2"), timeout=30)


def test_no_other_page_may_read_its_answers(dev: Dev) -> None:
    answer = requests.get(
        f"{dev.url}/graphql",
        params={"query": "{ version }"},
        headers={"Origin": "http://elsewhere.example"},
        timeout=30,
    )

    assert answer.json()["data"]["version"]
    assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_a_month_is_materialized_from_the_page_of_its_asset(ui: Ui) -> None:
    ui.materialize(_GAMES, "2026-02")
    ui.follow_run()

    expect(ui.page.get_by_text("RUN_SUCCESS")).to_be_visible()
    page = ui.asset(_GAMES, "partitions")
    expect(page.get_by_text("Materialized (1)")).to_be_visible()
    expect(ui.asset(_GAMES).get_by_text("the tracked player whose archive")).to_be_visible()


def test_a_failed_month_says_in_its_run_what_happened_and_what_to_do(ui: Ui) -> None:
    ui.materialize(_EVENTS, "2026-02")
    ui.follow_run()

    said = ui.page.get_by_text("1 of 1 months of landing/local_jsonl/synthetic_data failed").last
    expect(said).to_be_visible()
    expect(said).to_contain_text("synthetic_data/2026-02/part-0001.jsonl line 6")
    expect(said).to_contain_text("What was landed of 2026-02 before is unchanged")
    expect(said).to_contain_text("dagster asset materialize -m pipelines_project.definitions")


def test_a_dry_run_of_the_job_shows_which_files_would_be_deleted(ui: Ui, dev: Dev) -> None:
    zone = LandingZone(url=str(dev.place.folder / "data" / "landing"))
    month = zone.month("chess", "games", "2026-02")
    (old,) = ids_ago(1_000)
    write_load(month, old)

    config = "ops: {chess_games_delete_stale_files: {config: {dry_run: true}}}"
    ui.run_job("chess_delete_stale_files", "2026-02", config)

    expect(ui.page.get_by_text("2026-02: 2 files would be deleted: ")).to_be_visible()
    expect(ui.page.get_by_text("RUN_SUCCESS")).to_be_visible()
    assert old in month.listing().committed


def test_a_run_that_a_command_has_made_is_in_the_timeline(ui: Ui, dev: Dev) -> None:
    command = [".venv/bin/python", "-m", "pipelines_project.run_job", "clean_history"]
    folder = dev.place.folder
    settings = {**dev.place.settings, "DAGSTER_HOME": str(folder / "data" / "dagster")}
    subprocess.run(command, cwd=folder, env=settings, check=True)

    ui.page.goto(f"{ui.url}/overview/timeline")

    expect(ui.page.get_by_role("link", name="clean_history")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("schedules", "chess_materialize_schedule"),
        ("sensors", "local_jsonl_synthetic_data_changed_months"),
    ],
)
def test_a_schedule_and_a_sensor_are_off_at_first_and_switched_on_and_off(
    ui: Ui, kind: str, name: str
) -> None:
    expect(ui.automation(kind, name)).not_to_be_checked()

    ui.flip()
    expect(ui.page.get_by_role("checkbox").first).to_be_checked()
    expect(ui.automation(kind, name)).to_be_checked()

    ui.flip()
    expect(ui.page.get_by_role("checkbox").first).not_to_be_checked()
    expect(ui.automation(kind, name)).not_to_be_checked()


def test_the_report_is_built_from_its_page_and_opens_without_a_server(ui: Ui, dev: Dev) -> None:
    ui.materialize("report")
    ui.follow_run()
    expect(ui.page.get_by_text("RUN_SUCCESS")).to_be_visible()

    ui.page.goto((dev.place.folder / "data" / "report.html").as_uri())

    expect(ui.page.get_by_text("Needs a look")).to_be_visible()
    expect(ui.page.get_by_text("synthetic_data").first).to_be_visible()
    wide = ui.page.viewport_size
    ui.page.set_viewport_size({"width": 390, "height": 844})
    # On a phone the matrix moves by itself; the page does not move sideways.
    assert ui.page.evaluate("document.documentElement.scrollWidth") == 390
    assert wide is not None
    ui.page.set_viewport_size(wide)


def test_a_backfill_ends_green_and_its_months_are_there(ui: Ui) -> None:
    ui.page.goto(f"{ui.url}/runs?view=backfills")

    expect(ui.page.get_by_text("Success").first).to_be_visible()
    page = ui.asset(_EVENTS, "partitions")
    expect(page.get_by_text("Materialized (2)")).to_be_visible()
    expect(page.get_by_text("Failed (1)")).to_be_visible()
