"""The months of a run, landed one after the other or several at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from queue import SimpleQueue

from pipelines_project.orchestration.month_results import MonthResult

_LOOK_FOR_SIGNAL_SECONDS = 0.1

Land = Callable[[str], MonthResult]
"""Lands a month, and one after the other only: it has one session with the source."""


def land_months(months: Sequence[str], lands: Sequence[Land], results: list[MonthResult]) -> None:
    """Land the months, as many at once as there are functions that do it.

    Args:
        months: in their order.
        lands: what does it.
        results: gets what came of each month, in the order of the months. If the run is
            interrupted, no other month is begun, and those that are finished are in it, also the
            ones that were in flight.
    """
    if len(lands) == 1:
        for month in months:
            results.append(lands[0](month))
        return
    free = SimpleQueue[Land]()
    for land in lands:
        free.put(land)

    def land_one(month: str) -> None:
        land = free.get()
        try:
            results.append(land(month))
        finally:
            free.put(land)

    threads = ThreadPoolExecutor(len(lands), "month")
    try:
        begun = [threads.submit(land_one, month) for month in months]
        # A thread that waits without an end is not everywhere woken by a signal.
        while wait(begun, _LOOK_FOR_SIGNAL_SECONDS).not_done:
            pass
    finally:
        threads.shutdown(cancel_futures=True)
    for each in begun:
        each.result()
    results.sort(key=lambda result: result.month)
