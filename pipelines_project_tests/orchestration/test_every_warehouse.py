"""The deployed code location does all that it does on each warehouse that it can have."""

from pathlib import Path
from typing import Any

import pytest

from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    Run,
    code_location,
)

pytestmark = [pytest.mark.stack, pytest.mark.every_warehouse(lake_in_ci=True)]

BOTH, FIRST, SECOND = "2024-01...2024-02", "2024-01", "2024-02"


def _run(location: CodeLocation, job: str, op: str, **config: Any) -> Run:
    run = location.run(location.defs.resolve_job_def(job), config={"ops": {op: {"config": config}}})
    assert run.result.success, run.error
    return run


def _loaded(location: CodeLocation) -> dict[str, int]:
    checks = location.check()
    assert checks["games_have_unique_keys"].passed
    assert checks["warehouse_rows_match_landing"].passed
    return location.rows_by_month()


def test_months_are_landed_loaded_modelled_checked_restored_rebuilt_and_forgotten(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    urls = {"WAREHOUSE_URL": warehouse.url, "WAREHOUSE_DATA_URL": warehouse.data_url}
    with code_location(tmp_path, CHESS_PLAYERS="hikaru,erik", **urls) as location:
        for months in (BOTH, SECOND):
            run = location.materialize(months, LANDING, WAREHOUSE, keep_loads=1)
            assert run.result.success, run.error
        assert location.materialize(BOTH, *MARTS).result.success
        whole = {FIRST: 2 * GAMES_PER_MONTH, SECOND: 2 * GAMES_PER_MONTH}
        assert _loaded(location) == whole
        before = location.warehouse.rows("from chess_marts.player_months order by all")
        assert before

        kept = location.landing.month("chess", "games", SECOND).listing().committed[1]
        restored = location.restore(SECOND, load_id=kept)
        assert restored.result.success, restored.error
        assert location.materialize(SECOND, WAREHOUSE).result.success
        with location.warehouse.connect() as connection:
            connection.execute("delete from chess.games where month = $1", [FIRST])
        assert not location.check()["warehouse_rows_match_landing"].passed
        _run(location, "chess_rebuild_warehouse", "chess_rebuild_tables")
        assert _loaded(location) == whole
        assert location.materialize(BOTH, *MARTS).result.success
        assert location.warehouse.rows("from chess_marts.player_months order by all") == before

    with code_location(tmp_path, CHESS_PLAYERS="hikaru", **urls) as location:
        _run(location, "chess_forget", "chess_forget_rows", player="erik", dry_run=False)
        assert _loaded(location) == {FIRST: GAMES_PER_MONTH, SECOND: GAMES_PER_MONTH}
        left = location.warehouse.rows("select distinct player from chess_marts.player_months")
        assert left == [("hikaru",)]
