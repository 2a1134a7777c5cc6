"""What every check records: one result for its run, and one for each of the run's months."""

import re
from typing import Any

import dagster as dg
import pytest

from pipelines_project_tests.code_location import (
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    Run,
)

pytestmark = pytest.mark.stack

_CHECKS = {
    (LANDING, "no_stale_files"),
    (LANDING, "landed_files_are_intact"),
    (WAREHOUSE, "games_have_unique_keys"),
    (WAREHOUSE, "warehouse_rows_match_landing"),
    (MARTS[1], "player_is_not_null"),
}


def _history(chess: CodeLocation, key: str, name: str, run: Run) -> dict[str | None, Any]:
    """Return how each evaluation that a run planned or made has ended, by its month."""
    check = dg.AssetCheckKey(dg.AssetKey.from_user_string(key), name)
    records = chess.instance.event_log_storage.get_asset_check_execution_history(check, limit=100)
    of_run = [record for record in records if record.run_id == run.result.run_id]
    found = {record.partition: record.status.value for record in of_run}
    assert len(found) == len(of_run)
    return found


def _descriptions(run: Run, name: str) -> dict[str | None, str | None]:
    """Return what the evaluations of a check say that a run made, by their months."""
    found = run.result.get_asset_check_evaluations()
    return {each.partition: each.description for each in found if each.check_name == name}


@pytest.mark.parametrize("months", [["2024-01"], ["2024-01", "2024-02"]])
def test_no_evaluation_that_a_run_plans_for_a_month_is_left_out(
    chess: CodeLocation, months: list[str]
) -> None:
    run = chess.materialize(
        "...".join(dict.fromkeys([months[0], months[-1]])), LANDING, WAREHOUSE, *MARTS
    )

    for key, name in _CHECKS:
        passed = dict.fromkeys([None, *months], "SUCCEEDED")
        assert _history(chess, key, name, run) == passed, name


def test_only_the_months_that_are_wrong_have_failed(chess: CodeLocation) -> None:
    assert chess.materialize("2024-02", LANDING).result.success

    run = chess.materialize("2024-01...2024-03", LANDING, keep_loads=1)

    assert _history(chess, LANDING, "no_stale_files", run) == {
        None: "FAILED",
        "2024-01": "SUCCEEDED",
        "2024-02": "FAILED",
        "2024-03": "SUCCEEDED",
    }
    said = _descriptions(run, "no_stale_files")
    assert said["2024-01"] == "2024-01: holds"
    assert re.fullmatch("2024-02: .*parquet.*", said["2024-02"] or "")
    assert said[None] == said["2024-02"]
