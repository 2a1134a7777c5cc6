"""What a case is: who takes turns on which input, and which targets their figures must meet."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

SECONDS = "seconds"
CPU = "cpu_seconds"
PEAK = "peak_mb"

Figures = dict[str, float]
"""What one run took: seconds by the clock, of all processors together, and more by name."""

Medians = Mapping[tuple[str, int], Figures]
"""The median figures of each contender at each size."""

Input = TypeVar("Input")


@dataclass(frozen=True)
class Contender(Generic[Input]):
    """One way to do the work.

    Attributes:
        run: given the input and the folder of this round, which all contenders share, does the
            work and returns what it took.
        largest: the largest size that it is run at; None for all.
        rounds: how often it is run at a size at most; None for as often as the others.
    """

    run: Callable[[Input, Path], Figures]
    largest: int | None = None
    rounds: int | None = None


@dataclass(frozen=True)
class Target:
    """A number to meet.

    Attributes:
        text: what the number is.
        limit: where it must end.
        value: the number that was measured; `KeyError` where its sizes or contenders were not run.
        at_least: whether the limit is the least it must be, and not the most.
    """

    text: str
    limit: float
    value: Callable[[Medians], float]
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Tell whether a measured number is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Case(Generic[Input]):
    """One comparison.

    Attributes:
        name: what the command line calls it.
        what: what is compared, in a sentence.
        unit: what a size counts, such as rows.
        sizes: the sizes at which it is run, with how often the contenders take turns at each.
        prepared: makes the input of a size below a folder, and undoes at its end what must be.
        contenders: who takes turns, in their order; figures are compared with the first one's.
        targets: what must come of it.
        warm_up: a size at which each contender runs once before it counts, where contenders work
            in this process and the first run would pay for what later ones find done.
        details: more lines of text for the report.
    """

    name: str
    what: str
    unit: str
    sizes: Mapping[int, int]
    prepared: Callable[[int, Path], AbstractContextManager[Input]]
    contenders: Mapping[str, Contender[Input]]
    targets: Sequence[Target] = ()
    warm_up: int | None = None
    details: Callable[[], Sequence[str]] | None = None


def ratio(this: tuple[str, int], other: tuple[str, int], figure: str = SECONDS) -> Callable:
    """Return the `value` of a target that compares a figure of one contender with another's."""
    return lambda medians: medians[this][figure] / medians[other][figure]
