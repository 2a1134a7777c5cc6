"""A run that restores or forgets is killed anywhere: months stay whole, a second run ends it."""

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.restore import restore as restored
from pipelines_project_tests.faults.figures import Count, parts
from pipelines_project_tests.faults.forked_runs import Ended
from pipelines_project_tests.faults.live_data import Held, Month, Rows
from pipelines_project_tests.faults.operations import Sabotage, kill_points
from pipelines_project_tests.faults.place import Place, Scenario
from pipelines_project_tests.faults.sources import MONTH, OTHER_MONTH, SOURCES
from pipelines_project_tests.faults.works import forget, materialize_keeping, restore

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize("prepared", [*SOURCES][:1], indirect=True),
]

PARTS = parts(4)
"""The kill points are dealt out to so many tests, which run side by side."""

START = "with a kept load"


@dataclass(frozen=True)
class Kept:
    """The data that is undone: one month has a kept load.

    Attributes:
        load_id: of the kept load.
        kept: the rows of the kept load.
        held: what each month holds.
    """

    load_id: str
    kept: Rows | None
    held: dict[Month, Held]


@pytest.fixture(scope="session")
def kept(prepared: tuple[Place, dict[str, Scenario]]) -> Kept:
    """Two months, one landed twice, and both loaded."""
    place, scenarios = prepared
    place.live.restore(scenarios["rerun"].start)
    [month] = place.source.months()
    before = place.live.landed(month)
    load_id = place.live.landing.month(*month).current_load() or ""
    place.source.serve(2)
    data, keys = str(place.live.data), place.source.keys
    assert place.runs.run(materialize_keeping, data, MONTH, keys).answer.success
    place.live.save(START)
    months = [*place.source.months(OTHER_MONTH), month]
    return Kept(load_id, before, {month: place.live.held(month) for month in months})


def _each_kill(
    place: Place, run: Callable[[Sabotage | None], Ended], part: int, check: Callable[[], None]
) -> int:
    """Run the job once unharmed, and then killed at points of it; return at how many."""
    place.live.restore(START)
    clean = run(None)
    assert clean.code == 0, clean.log
    assert clean.answer.success, clean.answer.error
    points = kill_points(clean.operations, False, 1)
    struck = points[:: max(1, len(points) // place.numbers.undone)][part :: len(PARTS)]
    for sabotage in struck:
        place.live.restore(START)
        ended = run(sabotage)
        try:
            near_end = sabotage.at > len(clean.operations) - 5
            assert ended.code == -signal.SIGKILL or near_end, ended.log
            check()
        except Exception as error:
            error.add_note(f"{sabotage.harm}: {sabotage} {clean.operations[sabotage.at]}")
            raise
    return len(struck)


@pytest.mark.parametrize("part", PARTS)
def test_a_restore_that_is_killed_leaves_one_of_both_loads_and_can_be_repeated(
    place: Place, kept: Kept, scenarios: dict[str, Scenario], count: Count, part: int
) -> None:
    [month] = place.source.months()
    now = kept.held[month]
    allowed = {"before": now, "restored": Held(kept.kept, now.loaded)}

    def run(sabotage: Sabotage | None) -> Ended:
        args: Any = (str(place.live.data), month, kept.load_id)
        return place.runs.run(restore, *args, sabotage=sabotage)

    def check() -> None:
        landed, _ = place.live.compare(month, allowed)
        if landed == "before":
            again = run(None)
            assert again.answer.success, again.answer.error
        assert place.live.compare(month, allowed)[0] == "restored"
        place.assert_one_rerun_mends(scenarios["rerun"])

    place.source.serve(2)
    count("kill points", _each_kill(place, run, part, check))


def _without(rows: Rows | None, player: str) -> Rows:
    theirs = ("player", player)
    return Counter({row: n for row, n in (rows or Counter()).items() if theirs not in row})


@pytest.mark.parametrize("part", PARTS)
def test_a_run_that_forgets_and_is_killed_leaves_whole_months_and_can_be_repeated(
    place: Place, kept: Kept, count: Count, part: int
) -> None:
    [changed] = place.source.months()
    after = {
        month: Held(_without(held.landed, "erik"), _without(held.loaded, "erik"))
        for month, held in kept.held.items()
    }

    def run(sabotage: Sabotage | None) -> Ended:
        return place.runs.run(forget, str(place.live.data), "erik", sabotage=sabotage)

    def check() -> None:
        for month, held in kept.held.items():
            place.live.compare(month, {"before": held, "after": after[month]})
        again = run(None)
        assert again.code == 0, again.log
        assert again.answer.success, again.answer.error
        for month, held in after.items():
            place.live.compare(month, {"after": held})
        # The kept load holds him, and goes whole.
        place.live.assert_tidy(after)
        with pytest.raises(LandingError, match=f"load '{kept.load_id}' is not kept"):
            restored(place.live.landing.month(*changed), kept.load_id)

    count("kill points", _each_kill(place, run, part, check))
