"""A backfill whose processes are killed ends green by itself, and its data is exact.

Each takes some two minutes, most of which are Dagster's own intervals.
"""

from collections.abc import Sequence

import pytest

from pipelines_project_tests.faults.dev_instance import until
from pipelines_project_tests.faults.figures import IS_FULL, Count
from pipelines_project_tests.faults.interrupted_backfill import (
    MONTHS,
    PLAYERS,
    SPLIT,
    WHOLE,
    InterruptedBackfill,
    interrupted_backfill,
)

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not IS_FULL, reason="takes minutes: FAULTS=full"),
]

_MIDDLE = MONTHS[11]


def _launch_and_stop_at(backfill: InterruptedBackfill, month: str) -> str:
    """Start everything, launch the backfill, and return when the month is being fetched."""
    backfill.dev.start()
    asked = backfill.hold(month)
    launched = backfill.launch()
    assert asked.wait(120)
    return launched


@pytest.mark.parametrize(("location", "runs"), [(WHOLE, 1), (SPLIT, 4)], ids=["one run", "split"])
def test_a_backfill_goes_on_when_everything_was_killed_and_started_again(
    count: Count, location: Sequence[str], runs: int
) -> None:
    with interrupted_backfill(count, location) as backfill:
        launched = _launch_and_stop_at(backfill, _MIDDLE)
        backfill.dev.kill(backfill.dev.processes())

        backfill.dev.start()
        backfill.let_go()

        backfill.assert_green(launched)
        # What was killed, also while it was starting, was run again, and nothing that had ended.
        assert sum(run.is_success for run in backfill.runs()) == runs


def test_a_run_that_outlives_everything_else_is_left_to_end(count: Count) -> None:
    with interrupted_backfill(count) as backfill:
        launched = _launch_and_stop_at(backfill, _MIDDLE)
        worker = backfill.dev.worker(backfill.started_run())
        backfill.dev.kill({*backfill.dev.processes()} - {worker})

        backfill.dev.start()
        backfill.let_go()

        backfill.assert_green(launched)
        assert [run.is_success for run in backfill.runs()] == [True]


def test_a_backfill_goes_on_when_only_its_run_was_killed(count: Count) -> None:
    with interrupted_backfill(count) as backfill:
        launched = _launch_and_stop_at(backfill, _MIDDLE)
        backfill.dev.kill([backfill.dev.worker(backfill.started_run())])
        backfill.let_go()

        backfill.assert_green(launched)
        assert [run.is_success for run in backfill.runs()] == [False, True]


def test_a_daemon_that_was_left_without_code_does_not_end_the_backfill(count: Count) -> None:
    with interrupted_backfill(count) as backfill:
        launched = _launch_and_stop_at(backfill, _MIDDLE)
        worker = backfill.dev.worker(backfill.started_run())
        backfill.dev.kill({*backfill.dev.processes()} - {worker, backfill.dev.daemon()})
        until(lambda: "unable to continue" in backfill.dev.log())
        backfill.dev.kill([backfill.dev.daemon()])

        backfill.dev.start()
        backfill.let_go()

        backfill.assert_green(launched)
        assert [run.is_success for run in backfill.runs()] == [True]


def test_a_run_that_was_killed_while_it_loaded_does_not_fetch_again(count: Count) -> None:
    with interrupted_backfill(count) as backfill:
        backfill.dev.start()
        with backfill.live.warehouse.connect():
            launched = backfill.launch()
            backfill.wait_for_landing()
            backfill.dev.kill(backfill.dev.processes())
        fetches = backfill.fetches()

        backfill.dev.start()

        backfill.assert_green(launched)
        assert backfill.fetches() == fetches


def test_a_run_that_takes_longer_than_it_may_goes_on_with_the_months_that_are_left(
    count: Count,
) -> None:
    with interrupted_backfill(count) as backfill:
        backfill.dev.limit_runtime(45)
        launched = _launch_and_stop_at(backfill, _MIDDLE)
        ended = backfill.started_run()
        until(lambda: [run for run in backfill.runs() if run.run_id == ended and run.is_finished])
        backfill.let_go()

        backfill.assert_green(launched)
        again = [run for run in backfill.runs() if run.root_run_id == ended]
        assert [run.is_success for run in again] == [True]
        asked = [request.path for request in backfill.faults.requests]
        assert sum(path.endswith(f"{PLAYERS[1]}/games/2022/01") for path in asked) == 1
