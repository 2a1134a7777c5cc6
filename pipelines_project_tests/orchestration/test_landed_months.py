"""Several months are landed at once, and told in their order."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from pipelines_project.orchestration.landed_months import land_months
from pipelines_project.orchestration.month_results import MonthResult

_MONTHS = [f"2024-{number:02d}" for number in range(1, 10)]


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Take SIGINT as a run's process does, also where whoever started the tests ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class _Session:
    """Lands a month that is done the sooner the later it is; one at a time, as a session must."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self.months: list[str] = []

    def __call__(self, month: str) -> MonthResult:
        assert self._busy.acquire(blocking=False)
        time.sleep((10 - int(month[-2:])) / 200)
        self.months.append(month)
        self._busy.release()
        return MonthResult(month)


def test_results_are_in_the_order_of_the_months_whichever_is_done_first() -> None:
    sessions, results = [_Session() for _ in range(3)], list[MonthResult]()

    land_months(_MONTHS, sessions, results)

    assert [result.month for result in results] == _MONTHS
    assert all(session.months for session in sessions)


def test_an_interrupt_begins_no_more_months_and_keeps_those_in_flight() -> None:
    both_begun, results, begun = threading.Barrier(2), list[MonthResult](), list[str]()

    def land(month: str) -> MonthResult:
        begun.append(month)
        if both_begun.wait() == 0:
            # The threads are begun, and the run waits for them.
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.4)
        return MonthResult(month)

    with pytest.raises(KeyboardInterrupt):
        land_months(_MONTHS, [land, land], results)

    assert sorted(begun) == _MONTHS[:2]
    assert sorted(result.month for result in results) == _MONTHS[:2]


def test_a_fault_that_is_no_result_ends_the_step() -> None:
    def land(month: str) -> MonthResult:
        if month == "2024-03":
            raise RuntimeError("no result")
        return MonthResult(month)

    with pytest.raises(RuntimeError, match="no result"):
        land_months(_MONTHS, [land, land], [])
