"""How much the suite does, and the figures that it prints at its end."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from string import Formatter

from pipelines_project_tests.faults.stores import IS_ALL_ON_DISK

Count = Callable[[str, int], None]
"""Adds to one of the figures."""

LINES = (
    "- {kill points} kill points, {random kills} random kills, {cancelled runs} cancelled runs, "
    "{failing operations} failing operations, {full disks} full disks",
    "- {overlapping runs} overlapping runs with {reads meanwhile} reads meanwhile, "
    "{steps of the model} steps of the model",
    "- {hostile inputs} hostile inputs, {damaged files} damaged files",
    "- {rows compared} rows compared: lost {rows lost}, doubled {rows doubled}",
)
"""What is printed, and what the README says."""

FIGURES = [name for line in LINES for _, name, *_ in Formatter().parse(line) if name]


@dataclass(frozen=True)
class Numbers:
    """How much of everything there is.

    Attributes:
        every: of so many operations, one is a kill point.
        undone: kill points of a run that restores or forgets.
        random_kills: kills at random moments.
        cancelled: runs told to stop.
        failing: runs of which one operation fails.
        disks: runs on a disk that fills up.
        processes: how many re-run a month at once.
        reruns: how often each of them does.
        readers_seconds: how long a reader holds the warehouse's file.
        examples: runs of the model.
    """

    every: int
    undone: int
    random_kills: int
    cancelled: int
    failing: int
    disks: int
    processes: int
    reruns: int
    readers_seconds: float
    examples: int

    def for_another_source(self) -> "Numbers":
        """Return fewer, for a source whose runs do for the most part what the first one's do."""
        return replace(
            self,
            every=self.every * 24,
            random_kills=self.random_kills // 8,
            cancelled=self.cancelled // 4,
            failing=self.failing // 4,
            disks=self.disks // 4,
            processes=max(2, self.processes // 2),
            reruns=max(2, self.reruns // 4),
            readers_seconds=self.readers_seconds / 3,
        )


_LEAST = Numbers(320, 2, 1, 1, 1, 0, 2, 2, 0.5, 0)
_MIDDLE = Numbers(40, 16, 8, 4, 8, 2, 3, 2, 0.5, 10)
_FULL = Numbers(1, 60, 200, 24, 32, 6, 8, 25, 2, 80)

_WHOLE = os.environ.get("FAULTS") == "full"
# With S3 or PostgreSQL a run takes ten times as long, and most of what it does is the same.
IS_FULL = _WHOLE and IS_ALL_ON_DISK
IS_LEAST = not _WHOLE and not IS_ALL_ON_DISK
NUMBERS = _FULL if IS_FULL else _LEAST if IS_LEAST else _MIDDLE


def parts(most: int) -> range:
    """Return the numbers of the tests to which the points of a run are dealt out."""
    return range(1 if IS_LEAST else most)


def lines(figures: Iterable[tuple[str, int]]) -> list[str]:
    """Return the lines of all that was counted."""
    totals: dict[str, int] = dict.fromkeys(FIGURES, 0)
    for name, number in figures:
        totals[name] += number
    shown = {name: f"{number:,}" for name, number in totals.items()}
    return [line.format_map(shown) for line in LINES]
