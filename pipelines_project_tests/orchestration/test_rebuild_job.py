"""One job loads a source's tables anew from what is landed."""

from typing import Any

import dagster as dg
import pytest

from pipelines_project_tests.code_location import WAREHOUSE, CodeLocation, Run
from pipelines_project_tests.landings import ids_ago, write_load


def _rebuild(location: CodeLocation, **config: Any) -> Run:
    job = location.defs.resolve_job_def("chess_rebuild_warehouse")
    return location.run(job, config={"ops": {"chess_rebuild_tables": {"config": config}}})


@pytest.mark.stack
def test_every_landed_month_is_in_the_rebuilt_table_and_the_checks_pass(
    chess: CodeLocation,
) -> None:
    months = ("2024-01", "2024-02")
    for month in months:
        rows = [{"player": "erik", "url": url} for url in ("one", "two")]
        write_load(chess.landing.month("chess", "games", month), ids_ago(60)[0], [rows])
    assert chess.materialize("2024-01", WAREHOUSE).result.success
    with chess.warehouse.connect() as connection:
        connection.execute("update chess.games set url = 'one'")

    dry = _rebuild(chess, dry_run=True)
    assert dry.output_metadata == {"games": {"2024-01": 2, "2024-02": 2}}
    assert chess.rows_by_month() == {"2024-01": 2}

    run = _rebuild(chess, table="games")

    assert run.result.success, run.error
    assert chess.rows_by_month() == {"2024-01": 2, "2024-02": 2}
    assert {*run.materialized(WAREHOUSE)} == {*months}
    checks = chess.check()
    assert checks["games_have_unique_keys"].passed
    assert checks["warehouse_rows_match_landing"].passed


def test_a_table_that_is_not_there_is_refused_by_name(chess: CodeLocation) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="tables of chess: games; got"):
        _rebuild(chess, table="game")
