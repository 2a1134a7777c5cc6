"""What the soak does, in the order that a seed gives."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipelines_project_tests.faults.operations import Harm, Sabotage
from pipelines_project_tests.faults.soak.served import MONTHS, PARTS, Part
from pipelines_project_tests.faults.soak.services import TABLES


class Work(StrEnum):
    """What a process does."""

    LAND_AND_LOAD = "land and load"
    LAND = "land"
    LOAD = "load"
    TIDY = "delete stale files"
    COMMAND_LINE = "command line"


_WORKS = {
    Work.LAND_AND_LOAD: 50,
    Work.LAND: 15,
    Work.LOAD: 15,
    Work.TIDY: 17,
    Work.COMMAND_LINE: 3,
}
_HARMS = {
    Harm.NOTHING: 50,
    Harm.KILLED: 15,
    Harm.KILLED_LATER: 20,
    Harm.CANCELLED: 10,
    Harm.FAILS: 5,
}
# A run of one month does some 400 operations; what is not reached does no harm.
_OPERATIONS = 400


@dataclass(frozen=True)
class Step:
    """A process of the soak.

    Attributes:
        changes: the parts of which a new version is served before it starts.
        work: what it does.
        source: of which source.
        months: of which months, as the first and the last if they are several.
        sabotage: what happens to it meanwhile.
    """

    changes: tuple[Part, ...]
    work: Work
    source: str
    months: str
    sabotage: Sabotage


def plan(seed: int) -> Iterator[Step]:
    """Yield the steps of a seed, for ever."""
    chance = random.Random(seed)
    while True:
        [work] = chance.choices([*_WORKS], [*_WORKS.values()])
        months = MONTHS[chance.randrange(len(MONTHS)) :][: chance.choice((1, 1, 1, 2, 4))]
        several = len(months) > 1 and work is not Work.TIDY
        yield Step(
            tuple(chance.sample(PARTS, chance.randrange(4))),
            work,
            chance.choice([*TABLES]),
            f"{months[0]}...{months[-1]}" if several else months[0],
            _sabotage(chance) if work is not Work.COMMAND_LINE else Sabotage(),
        )


def _sabotage(chance: random.Random) -> Sabotage:
    [harm] = chance.choices([*_HARMS], [*_HARMS.values()])
    return Sabotage(harm, chance.randrange(_OPERATIONS), chance.expovariate(20))
