"""Letting the contenders of a case take turns."""

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.case import SECONDS, Case, Contender, Figures, Medians


@dataclass(frozen=True)
class Measured:
    """What a contender took at one size, round by round."""

    contender: str
    size: int
    rounds: list[Figures]

    @property
    def median(self) -> Figures:
        """The median of each figure."""
        names = self.rounds[0]
        return {name: statistics.median(each[name] for each in self.rounds) for name in names}


def medians(measured: Sequence[Measured]) -> Medians:
    """Return the medians by contender and size."""
    return {(each.contender, each.size): each.median for each in measured}


def take_turns(
    case: Case[Any], sizes: Mapping[int, int], folder: Path, tell: Callable[[str], None]
) -> list[Measured]:
    """Run every contender at every size, in turns, and return what each took.

    Args:
        case: who, and on what.
        sizes: the sizes in their order, with how many turns each contender has.
        folder: where files are written; each round's are deleted after it.
        tell: is given a line for each run.
    """
    if case.warm_up is not None:
        tell(f"{case.name}: warming up")
        _at_size(case, case.warm_up, 1, folder, lambda _: None)
    return [each for size in sizes for each in _at_size(case, size, sizes[size], folder, tell)]


def _at_size(
    case: Case[Any], size: int, rounds: int, folder: Path, tell: Callable[[str], None]
) -> list[Measured]:
    chosen = {name: each for name, each in case.contenders.items() if _takes(each, size)}
    measured = [Measured(name, size, []) for name in chosen]
    prepared = folder / "prepared"
    prepared.mkdir()
    with case.prepared(size, prepared) as ready:
        for number in range(1, rounds + 1):
            place = folder / "round"
            place.mkdir()
            for each in measured:
                contender = chosen[each.contender]
                if number > (contender.rounds or rounds):
                    continue
                each.rounds.append(contender.run(ready, place))
                seconds = each.rounds[-1][SECONDS]
                tell(
                    f"{case.name}, {size:,} {case.unit}, round {number}: "
                    f"{each.contender} {seconds:.2f} s"
                )
            shutil.rmtree(place)
    shutil.rmtree(prepared)
    return measured


def _takes(contender: Contender[Any], size: int) -> bool:
    return contender.largest is None or size <= contender.largest
