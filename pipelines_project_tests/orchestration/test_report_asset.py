"""The report as an asset: what it knows of runs and checks, and when it is written anew."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from starlette.responses import JSONResponse, Response

from pipelines_project.orchestration.report_asset import REPORT
from pipelines_project.orchestration.run_history import Watched, run_history
from pipelines_project_tests.code_location import (
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    Run,
)

pytestmark = pytest.mark.stack

_FEBRUARY = "hikaru/games/2024/02"


def _watched(location: CodeLocation, name: str, *, has_months: bool = True) -> Watched:
    key = dg.AssetKey.from_user_string(name)
    checks = location.defs.resolve_asset_graph().asset_check_keys
    return Watched(key, has_months, [each for each in checks if each.asset_key == key])


def _report(location: CodeLocation) -> tuple[Run, str]:
    """Write the report, and return the run and the page."""
    run = location.materialize("", "report")
    [metadata] = run.materialized("report").values()
    assert metadata["url"] == Path(metadata["path"]).as_uri()
    return run, Path(metadata["path"]).read_text(encoding="utf-8")


def test_months_that_failed_are_told_from_those_of_the_same_run_that_did_not(
    chess: CodeLocation,
) -> None:
    chess.faults.answer_always(_FEBRUARY, Response(status_code=404))
    failed = chess.materialize("2024-01...2024-03", LANDING)

    history = run_history(chess.instance, [_watched(chess, LANDING)])[LANDING]

    assert [*history.failed] == ["2024-02"]
    assert history.failed["2024-02"].run_id == failed.result.run_id
    assert "1 of 3 months of landing/chess/games failed" in history.failed["2024-02"].text
    assert history.made_at


def test_a_month_that_was_landed_since_has_failed_no_more(chess: CodeLocation) -> None:
    chess.faults.answer_always(_FEBRUARY, Response(status_code=404))
    chess.materialize("2024-02", LANDING)
    chess.faults.clear()
    chess.materialize("2024-02", LANDING)

    history = run_history(chess.instance, [_watched(chess, LANDING)])[LANDING]

    assert history.failed == {}
    assert history.last_error
    assert "404" in history.last_error.text


def test_a_mart_that_failed_has_no_months(chess: CodeLocation) -> None:
    chess.materialize("", MARTS[0])

    history = run_history(chess.instance, [_watched(chess, MARTS[0], has_months=False)])[MARTS[0]]

    assert [*history.failed] == [""]
    assert "chess.games" in history.failed[""].text


def test_checks_tell_the_months_that_they_do_not_hold_for(chess: CodeLocation) -> None:
    chess.materialize("2024-01...2024-02")
    with chess.warehouse.connect() as connection:
        connection.execute("delete from chess.games where month = '2024-01' and player = 'erik'")
    chess.check()
    chess.materialize("2024-02")

    checks = {
        check.name: (check.passed, [*check.months])
        for check in run_history(chess.instance, [_watched(chess, WAREHOUSE)])[WAREHOUSE].checks
    }

    assert checks == {
        "games_have_unique_keys": (True, []),
        "warehouse_rows_match_landing": (False, ["2024-01"]),
    }


@pytest.fixture
def built(chess: CodeLocation) -> CodeLocation:
    """Two months landed and loaded with their marts, and one that failed and names a player."""
    chess.materialize("2024-01...2024-02", LANDING, WAREHOUSE, MARTS[1])
    chess.materialize("", MARTS[0])
    chess.faults.answer_always("hikaru/games/2024/03", Response(status_code=404))
    assert "hikaru" in chess.materialize("2024-03", LANDING).error
    return chess


def test_the_page_shows_all_months_and_no_person_and_no_secret(built: CodeLocation) -> None:
    _, page = _report(built)

    assert page.count('class="failed"') == 1
    assert page.count('class="whole"') >= 2
    for name in (*MARTS, WAREHOUSE):
        assert name.rpartition("/")[2] in page
    players = built.warehouse.rows("select distinct white__username from chess.games")
    for person in ("hikaru", "erik", "tests@example.com", *(name for (name,) in players)):
        assert person.lower() not in page.lower()
    assert built.api_url not in page


def test_the_report_follows_new_rows_and_failures_and_nothing_else(chess: CodeLocation) -> None:
    cursor = None

    def is_asked_for() -> bool:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(
            defs=chess.defs,
            instance=chess.instance,
            cursor=cursor,
            asset_selection=dg.AssetSelection.assets(REPORT),
            evaluation_time=datetime.now(UTC),
        )
        cursor = result.cursor
        return result.total_requested == 1

    is_asked_for()
    chess.materialize("2024-01", LANDING)
    assert is_asked_for()
    chess.materialize("2024-01", LANDING)
    assert not is_asked_for()
    chess.faults.answer_always(_FEBRUARY, JSONResponse({}, status_code=404))
    chess.materialize("2024-02", LANDING)
    assert is_asked_for()
    assert not is_asked_for()
