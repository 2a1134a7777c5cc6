"""Settings, names and keys that mean harm, on every way in: refused by name, or taken literally."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing.utils import component_defs
from pydantic import ValidationError

from pipelines_project import definitions
from pipelines_project.components.chess import ChessSource
from pipelines_project.components.files import LocalJsonlSource
from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.components.sql_models import SqlModels
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files.raw_files import RawFolder, checked_template
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import (
    LANDING,
    WAREHOUSE,
    CodeLocation,
    code_location,
)
from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.jsonl_location import attributes, jsonl_location
from pipelines_project_tests.landings import tree

pytestmark = pytest.mark.faults

MONTH = "2024-02"
LONG = "x" * 10_000
HOSTILE = [
    "../x",
    "..",
    "a/b",
    "/etc/passwd",
    "a'b",
    'a"b',
    "100%",
    "a\nb",
    "a\r\nX-Evil: 1",
    "игрок",
    LONG,
    "a; drop table chess.games; --",
    "{{ env.HOME }}",
]


def _text(error: BaseException) -> str:
    """Return what an error and all that it was raised from say."""
    return f"{error} {_text(error.__cause__)}" if error.__cause__ else str(error)


def _assert_load_refused(folder: Path, reason: str, settings: Mapping[str, str]) -> None:
    """Check that the code location does not load, by that reason, and that nothing was written."""
    before = tree(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Or the source would be left out, and shown with the reason.
        patch.setenv("STRICT_DEFINITIONS", "1")
        for name, value in settings.items():
            patch.setenv(name, value)
        with pytest.raises(ComponentTreeException) as refusal:
            definitions.defs()
    said = _text(refusal.value)
    assert re.search(reason, said), said[:2000]
    assert tree(folder) == before


@pytest.mark.parametrize("value", HOSTILE)
def test_no_first_month_nor_player_nor_address_of_the_environment_may_mean_harm(
    tmp_path: Path, count: Count, value: str
) -> None:
    for source in ("CHESS", "FRESHDESK", "LOCAL_JSONL"):
        setting = f"{source}_START_MONTH"
        _assert_load_refused(tmp_path, r"start_month:?\s.* is not a month", {setting: value})
    _assert_load_refused(tmp_path, "CHESS_PLAYERS", {"CHESS_PLAYERS": value})
    _assert_load_refused(tmp_path, "CHESS_API_URL", {"CHESS_API_URL": f"http://{value} "})
    count("hostile inputs", 5)


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "2024-00", "٢٠٢٤-02"])
def test_a_first_month_that_cannot_be_counted_from_is_refused(
    tmp_path: Path, count: Count, month: str
) -> None:
    _assert_load_refused(tmp_path, "is not a month", {"CHESS_START_MONTH": month})
    count("hostile inputs", 1)


ADDRESSES = [
    "http://[::",
    "http://127.0.0.1:99999/pub",
    "http://user:pass@127.0.0.1/pub",
    "http://127.0.0.1@example.com/pub",
    "http://a\x01b/",
    "http://a/?x=1",
    "http://a/#x",
    "file:///etc/passwd",
    "http://a b/",
    "http://a/%2e%2e/",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_that_is_none_is_refused_by_the_name_of_its_setting(
    tmp_path: Path, count: Count, url: str
) -> None:
    _assert_load_refused(tmp_path, "CHESS_API_URL", {"CHESS_API_URL": url})
    assert "FRESHDESK_API_URL is" in _failure_of_freshdesk(tmp_path, api_url=url)
    count("hostile inputs", 2)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_domain_leads_the_key_elsewhere(tmp_path: Path, count: Count, value: str) -> None:
    said = _failure_of_freshdesk(tmp_path, domain=value)

    assert "FRESHDESK_DOMAIN is" in said
    count("hostile inputs", 1)


def _failure_of_freshdesk(folder: Path, **settings: str) -> str:
    """Land a table, and return why that failed, having checked that it did nothing."""
    resources = {"landing": LandingZone(url=str(folder)), "warehouse": Warehouse(url=str(folder))}
    given: dict[str, Any] = {"domain": "", "start_month": "2024-01", **settings}
    source = FreshdeskSource(**given)
    defs = component_defs(component=source, resources=resources)
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("FRESHDESK_API_KEY", "secret")
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(["landing", "freshdesk", "roles"])],
            partition_key=MONTH,
            instance=instance,
            raise_on_error=False,
        )
    [failure] = result.filter_events(lambda event: event.is_step_failure)
    said = str(failure.step_failure_data)
    assert "secret" not in said
    assert [*folder.iterdir()] == []
    return said


CONTACTS = ["me@example.com\nX-Evil: 1", "me@example.com\r", "игрок@example.com", f"me@{LONG}"]


@pytest.mark.parametrize("contact", CONTACTS)
def test_a_contact_that_no_header_can_hold_is_refused(
    chess: CodeLocation, count: Count, contact: str
) -> None:
    run = chess.with_attributes(contact=contact).materialize(MONTH, LANDING)

    assert "CHESS_CONTACT must be" in run.error
    assert chess.faults.requests == []
    count("hostile inputs", 1)


STORES = [
    ("LANDING_URL", "nowhere://x", LANDING, "LANDING_URL is 'nowhere://x'"),
    ("LANDING_URL", LONG, LANDING, "File name too long"),
    ("WAREHOUSE_URL", ":memory:", WAREHOUSE, "WAREHOUSE_URL must be"),
    ("WAREHOUSE_URL", LONG, WAREHOUSE, r"(?s)WAREHOUSE_URL.*File name too long"),
    ("WAREHOUSE_URL", "/proc/nowhere/w.duckdb", WAREHOUSE, "WAREHOUSE_URL"),
    ("RAW_URL", "nowhere://x", "landing/local_jsonl/synthetic_data", "RAW_URL is 'nowhere://x'"),
    ("RAW_URL", LONG, "landing/local_jsonl/synthetic_data", "set RAW_URL"),
    ("RAW_URL", "/dev/null", "landing/local_jsonl/synthetic_data", "set RAW_URL"),
]


@pytest.mark.parametrize(("setting", "value", "asset", "reason"), STORES)
def test_a_store_that_is_none_is_refused_by_name_and_what_is_landed_stays(
    tmp_path: Path, count: Count, setting: str, value: str, asset: str, reason: str
) -> None:
    with code_location(tmp_path / "data", **{setting: value}) as location:
        if asset == WAREHOUSE:
            assert location.materialize(MONTH, LANDING).result.success
        before = tree(tmp_path)

        run = location.materialize(MONTH, asset)

        assert not run.result.success
        assert re.search(reason, run.error), run.error[:2000]
        assert tree(tmp_path) == before
    count("hostile inputs", 1)


@pytest.mark.parametrize("setting", ["LANDING_URL", "WAREHOUSE_URL"])
def test_a_setting_that_is_empty_is_one_that_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Count, setting: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with code_location(tmp_path / "data", **{setting: ""}) as location:
        assert location.materialize(MONTH).result.success

    assert {*tree(tmp_path / "data")} > {"landing", "warehouse.duckdb"}
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    count("hostile inputs", 1)


ATTRIBUTES: dict[str, tuple[str, list[Any]]] = {
    "name": (
        "is not a name|is a name that",
        [*HOSTILE, "x_quarantine", "events_quarantine", "_dlt_loads"],
    ),
    "key": ("in key is no column", [[value] for value in [*HOSTILE, ""]]),
    "start_month": ("is not a month", HOSTILE),
    "contract": ("contract", HOSTILE),
    "on_bad_line": ("on_bad_line", HOSTILE),
    "keep_loads": ("keep_loads", [-1, *HOSTILE]),
    "files": (
        "leads out of RAW_URL|nothing else by %|must name the month",
        [*HOSTILE, "../%Y-%m/*", "/etc/%Y-%m/*", "events/../../%Y-%m/*", "%Y", "100%/%Y-%m"],
    ),
}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_an_attribute_of_the_yaml_that_means_harm_is_refused_by_name(
    tmp_path: Path, count: Count, attribute: str
) -> None:
    """The first value as the text of a file, the others as what is read of one."""
    reason, values = ATTRIBUTES[attribute]
    given = attributes(tmp_path / "raw")

    with (
        pytest.raises(ComponentTreeException) as refusal,
        jsonl_location(tmp_path, given | {attribute: values[0]}),
    ):
        pass
    assert re.search(reason, _text(refusal.value)), _text(refusal.value)[:2000]
    for value in values:
        with pytest.raises(ValidationError, match=reason):
            LocalJsonlSource(**given | {attribute: value})

    assert [*tmp_path.iterdir()] == []
    count("hostile inputs", len(values))


@pytest.mark.parametrize("root", ["it's", 'a"b', "100%", "a\nb", "игры", "raw[1]*", "a;b", "~"])
@pytest.mark.parametrize("middle", ["it's", "a[[]b", "{a,b}", "x y"])
def test_raw_files_are_found_by_any_root_and_template_and_no_others(
    tmp_path: Path, count: Count, root: str, middle: str
) -> None:
    folder = RawFolder(str(tmp_path / root), checked_template(f"{middle}/%Y-%m/*.jsonl"))
    for there in (root, "raw1"):
        month = tmp_path / there / middle.replace("[[]", "[") / MONTH
        month.mkdir(parents=True, exist_ok=True)
        (month / "a.jsonl").write_text("{}")

    [file] = folder.files(MONTH)

    assert folder.fs.cat_file(folder.full_path(file)) == b"{}"
    assert folder.full_path(file).startswith(f"{tmp_path / root}/")
    assert folder.files_by_month() == {MONTH: [file]}
    count("hostile inputs", 1)


def test_a_source_or_table_cannot_have_a_name_that_something_else_has(count: Count) -> None:
    source = ChessSource(players="erik", contact="me@example.com", start_month="2021-01")
    [games] = source.monthly_tables()
    for name in ("ledger", "chess_marts", *HOSTILE):
        with pytest.raises(ValueError, match=r"schema of the warehouse already|is not a name"):
            replace(games, source=name)
        with pytest.raises(ValueError, match=r"schema of the warehouse already|is not a name"):
            _ = SqlModels(source=name).marts
    for name in ("games_quarantine", *HOSTILE):
        with pytest.raises(ValueError, match=r"landing itself uses|is not a name"):
            replace(games, name=name)
    count("hostile inputs", 3 * len(HOSTILE) + 5)


def test_a_partition_key_of_the_command_line_that_is_no_month_is_refused(
    tmp_path: Path, count: Count
) -> None:
    """The whole way in, as a person takes it; other keys are tested without a process."""
    (tmp_path / "home").mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DAGSTER_HOME": str(tmp_path / "home"),
        "LANDING_URL": str(tmp_path / "landing"),
        "WAREHOUSE_URL": str(tmp_path / "warehouse.duckdb"),
        "CHESS_API_URL": "http://127.0.0.1:1",
        "CHESS_CONTACT": "me@example.com",
    }
    module = ["-m", "pipelines_project.definitions", "--select", LANDING]
    command = [sys.executable, "-m", "dagster", "asset", "materialize", *module]
    key = "../2024-02' or true --"

    done = subprocess.run(
        [*command, "--partition", key],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode
    assert key in done.stderr + done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    count("hostile inputs", 1)
