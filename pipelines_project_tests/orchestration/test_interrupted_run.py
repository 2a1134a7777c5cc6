"""A run that is canceled, or reaches its maximum runtime, keeps the months that are done."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import dagster as dg
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipelines_project.orchestration import delete_stale_files_op, warehouse_asset
from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation

pytestmark = pytest.mark.stack

MONTHS = "2024-01...2024-05"
KEY = dg.AssetKey.from_user_string(LANDING)
DONE = {"2024-01", "2024-02"}


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Take SIGINT as a run's process does, also where whoever started the tests ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt() -> None:
    """Do to the run's process what Dagster does to end a run."""
    os.kill(os.getpid(), signal.SIGINT)


async def _interrupt_the_client(scope: Scope, receive: Receive, send: Send) -> None:
    _interrupt()
    await Response("{}")(scope, receive, send)


def _interrupt_at(month: str, work: Callable[..., Any], named: Callable[..., str]) -> Any:
    """Return the same work, which interrupts the run when it comes to the month."""

    def then(*args: Any) -> Any:
        if named(*args) == month:
            _interrupt()
        return work(*args)

    return then


def _run_interrupted(location: CodeLocation, *keys: str) -> None:
    run = location.materialize(MONTHS, *keys)

    assert not run.result.success
    assert "Interrupt" in run.error


def _events(location: CodeLocation, key: str) -> list[str]:
    """Return the month of each record of the asset, as often as it is recorded."""
    found = location.instance.fetch_materializations(dg.AssetKey.from_user_string(key), 100)
    return sorted(record.partition_key or "" for record in found.records)


def test_months_that_were_landed_before_an_interrupt_are_recorded(chess: CodeLocation) -> None:
    chess.faults.answer_next("hikaru/games/2024/03", _interrupt_the_client)

    _run_interrupted(chess, LANDING)

    assert _events(chess, LANDING) == sorted(DONE)
    (record, _) = chess.instance.fetch_materializations(KEY, 2).records
    assert record.asset_materialization
    (load_id,) = chess.landing.month("chess", "games", "2024-02").listing().committed
    assert record.asset_materialization.metadata["load_id"].value == load_id


def test_what_is_recorded_then_is_loaded_by_automation_once(chess: CodeLocation) -> None:
    key = dg.AssetKey.from_user_string(WAREHOUSE)
    evaluate = partial(dg.evaluate_automation_conditions, chess.defs, chess.instance)
    before = evaluate()
    chess.faults.answer_next("hikaru/games/2024/03", _interrupt_the_client)
    _run_interrupted(chess, LANDING)

    then = evaluate(cursor=before.cursor)
    again = evaluate(cursor=then.cursor)

    assert then.get_requested_partitions(key) == DONE
    assert again.get_requested_partitions(key) == set()


def test_the_retry_of_a_run_that_was_ended_lands_only_what_is_left(chess: CodeLocation) -> None:
    """Dagster tries a run again that its maximum runtime, or a kill, has ended."""
    chess.faults.answer_next("hikaru/games/2024/03", _interrupt_the_client)
    _run_interrupted(chess, LANDING)
    [ended] = chess.instance.get_runs()
    landed = {month: _current_load(chess, month) for month in sorted(DONE)}
    asked = len(chess.faults.requests)

    tags = {"dagster/retry_number": "1", "dagster/root_run_id": ended.run_id}
    run = chess.run(
        chess.defs.resolve_implicit_global_asset_job_def(), MONTHS, assets=[KEY], tags=tags
    )

    assert run.result.success
    assert [*run.materialized()] == [f"2024-0{number}" for number in range(1, 6)]
    assert {month: _current_load(chess, month) for month in landed} == landed
    asked_again = [request.path for request in chess.faults.requests[asked:]]
    assert not [path for path in asked_again if path.endswith(("2024/01", "2024/02"))]
    assert [path for path in asked_again if path.endswith("hikaru/games/2024/03")]


def _current_load(location: CodeLocation, month: str) -> str | None:
    return location.landing.month("chess", "games", month).current_load()


def test_a_run_that_somebody_starts_again_lands_every_month(chess: CodeLocation) -> None:
    chess.faults.answer_next("hikaru/games/2024/03", _interrupt_the_client)
    _run_interrupted(chess, LANDING)

    asked = len(chess.faults.requests)
    assert chess.materialize(MONTHS, LANDING).result.success

    asked_again = [request.path for request in chess.faults.requests[asked:]]
    assert [path for path in asked_again if path.endswith("hikaru/games/2024/01")]


def test_an_interrupt_among_the_deletions_leaves_every_landed_month_recorded(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupting = _interrupt_at("2024-03", delete_stale_files_op.tidy, lambda *args: args[3].month)
    monkeypatch.setattr(delete_stale_files_op, "tidy", interrupting)

    _run_interrupted(chess, LANDING)

    assert _events(chess, LANDING) == [f"2024-0{number}" for number in range(1, 6)]


def test_months_that_were_loaded_before_an_interrupt_are_recorded(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chess.materialize(MONTHS, LANDING).result.success
    interrupting = _interrupt_at(
        "2024-03", warehouse_asset.load_month, lambda _connection, month, *_: month.month
    )
    monkeypatch.setattr(warehouse_asset, "load_month", interrupting)

    _run_interrupted(chess, WAREHOUSE)

    assert _events(chess, WAREHOUSE) == sorted(DONE)
    assert {*chess.rows_by_month()} == DONE


def test_a_month_of_a_run_that_ends_by_itself_is_recorded_once(chess: CodeLocation) -> None:
    assert chess.materialize("2024-01...2024-02").result.success

    assert _events(chess, LANDING) == _events(chess, WAREHOUSE) == sorted(DONE)
