"""A machine whose clock is wrong never has its result silently ignored, nor another's."""

import pytest

from pipelines_project_tests.faults.forked_runs import Ended
from pipelines_project_tests.faults.place import Place, Scenario
from pipelines_project_tests.faults.sources import MONTH, MOST_TESTED
from pipelines_project_tests.faults.works import discard, materialize_at

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize("prepared", MOST_TESTED, indirect=True),
]

TEN_MINUTES = 600


def _run_at(place: Place, seconds: float) -> Ended:
    data, keys = str(place.live.data), place.source.keys
    return place.runs.run(materialize_at, seconds, data, MONTH, keys)


def test_a_machine_that_is_ten_minutes_behind_is_refused_aloud_and_changes_nothing(
    place: Place, scenarios: dict[str, Scenario]
) -> None:
    scenario = scenarios["rerun"]
    place.live.restore(scenario.start)
    place.source.serve(1)
    assert place.run().answer.success
    before = {month: place.live.held(month) for month in scenario.versions}
    place.source.serve(2)

    outcome = _run_at(place, -TEN_MINUTES).answer

    assert not outcome.success
    assert "clock" in outcome.error
    assert outcome.loads == {}
    assert {month: place.live.held(month) for month in before} == before
    place.assert_one_rerun_mends(scenario)


def test_a_load_from_ten_minutes_ahead_is_named_and_can_be_discarded(
    place: Place, scenarios: dict[str, Scenario]
) -> None:
    scenario = scenarios["rerun"]
    place.live.restore(scenario.start)
    place.source.serve(1)
    ahead = _run_at(place, TEN_MINUTES).answer
    assert ahead.success, ahead.error
    place.source.serve(2)

    refused = place.run().answer
    assert not refused.success
    assert f"discard_load_id: '{ahead.loads[MONTH]}'" in refused.error
    place.assert_whole(scenario)

    data = str(place.live.data)
    [month] = place.source.months()
    discarded = place.runs.run(discard, data, month, ahead.loads[MONTH])
    assert discarded.code == 0, discarded.log
    landed = place.runs.run(materialize_at, 0, data, MONTH, place.source.keys).answer
    assert "replace_newer_load: true" in landed.error
    place.assert_whole(scenario)
