"""A run that is killed at any operation leaves the old month or the new, and a re-run mends it."""

import random
import signal

import pytest

from pipelines_project_tests.faults.figures import Count, parts
from pipelines_project_tests.faults.operations import Harm, Sabotage, kill_points
from pipelines_project_tests.faults.place import Place, Scenario

pytestmark = pytest.mark.faults

PARTS = parts(8)
"""The kill points are dealt out to so many tests, which run side by side."""


def _strike(place: Place, scenario: Scenario, sabotage: Sabotage) -> None:
    place.live.restore(scenario.start)
    ended = place.run(sabotage)
    try:
        # The number of operations differs a little from run to run, so the last may not be reached.
        near_end = sabotage.at > len(scenario.operations) - 5
        assert ended.code in (-signal.SIGKILL, -signal.SIGALRM) or near_end, ended.log
        place.assert_whole(scenario)
        place.assert_one_rerun_mends(scenario)
    except Exception as error:
        error.add_note(f"{sabotage.harm}: {sabotage} {scenario.operations[sabotage.at]}")
        raise


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["rerun", "first"])
def test_a_run_killed_at_any_operation_loses_nothing_and_one_rerun_mends_it(
    place: Place, scenarios: dict[str, Scenario], count: Count, name: str, part: int
) -> None:
    scenario, is_first = scenarios[name], name == "first"
    # A first run does little that a re-run does not.
    every = place.numbers.every * (4 if is_first else 1)
    for sabotage in kill_points(scenario.operations, is_first, every)[part :: len(PARTS)]:
        _strike(place, scenario, sabotage)
        count("kill points", 1)


@pytest.mark.parametrize("part", PARTS)
def test_a_run_killed_at_a_random_moment_loses_nothing_and_one_rerun_mends_it(
    place: Place, scenarios: dict[str, Scenario], count: Count, part: int
) -> None:
    scenario, chance = scenarios["rerun"], random.Random(part)
    for _ in range(part, place.numbers.random_kills, len(PARTS)):
        at = chance.randrange(len(scenario.operations))
        _strike(place, scenario, Sabotage(Harm.KILLED_LATER, at, chance.expovariate(500)))
        count("random kills", 1)
