"""Runs of one month at once: every read is a whole load, and the newest load is what stays."""

import threading
from collections.abc import Callable

import pytest

from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.faults.forked_runs import Ended
from pipelines_project_tests.faults.live_data import LiveData, Month, Rows
from pipelines_project_tests.faults.place import Place, Scenario
from pipelines_project_tests.faults.sources import MONTH, MOST_TESTED
from pipelines_project_tests.faults.works import (
    Outcome,
    hold,
    materialize,
    materialize_in_random_order,
    read,
    tidy,
)

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize("prepared", MOST_TESTED, indirect=True),
]

YEAR = [f"2024-{number:02d}" for number in range(1, 13)]


def _reader(
    place: Place, allowed: dict[Month, list[Rows | None]]
) -> tuple[Callable[..., int], LiveData, dict[Month, list[Rows | None]]]:
    return read, LiveData(place.live.stores), allowed


def _landed(scenario: Scenario) -> dict[Month, list[Rows | None]]:
    return {
        month: [version.landed for version in versions.values()]
        for month, versions in scenario.versions.items()
    }


def _outcomes(ended: list[Ended]) -> list[Outcome]:
    """Return how the runs ended, all of them well."""
    for each in ended:
        assert each.code == 0, each.log
    outcomes = [outcome for each in ended for outcome in each.answer]
    for outcome in outcomes:
        assert outcome.success, outcome.error
    return outcomes


def _rerun_at_once(place: Place, months: list[str], keys: list[str]) -> list[Outcome]:
    data = str(place.live.data)
    started = [
        place.runs.start(materialize_in_random_order, data, months, keys, seed)
        for seed in range(place.numbers.processes)
    ]
    return _outcomes([place.runs.end(each) for each in started])


def _assert_newest_load_is_current(place: Place, outcomes: list[Outcome]) -> None:
    [table, *_] = place.source.tables
    for month in {month for outcome in outcomes for month in outcome.loads}:
        newest = max((outcome.loads.get(month, "0") for outcome in outcomes), key=float)
        assert place.live.landing.month(place.source.name, table, month).current_load() == newest


def test_of_runs_of_a_month_at_once_the_newest_stays_and_every_read_is_whole(
    place: Place, scenarios: dict[str, Scenario], count: Count
) -> None:
    scenario = scenarios["rerun"]
    place.live.restore(scenario.start)
    place.source.serve(1, 2)
    reader, tidier = (
        _reader(place, _landed(scenario)),
        (tidy, str(place.live.data), place.source.months()[0]),
    )
    with place.beside(reader, reader, tidier) as done:
        outcomes = _rerun_at_once(place, [MONTH] * place.numbers.reruns, place.source.keys)

    _assert_newest_load_is_current(place, outcomes)
    place.source.serve(2)
    place.assert_whole(scenario)
    place.assert_one_rerun_mends(scenario)
    count("overlapping runs", len(outcomes) + done[2])
    count("reads meanwhile", done[0] + done[1])


def test_months_rerun_at_once_in_random_order_do_not_touch_each_other(
    place: Place, count: Count
) -> None:
    place.live.restore()
    place.source.serve(1)
    data, landing = str(place.live.data), place.source.keys[: len(place.source.tables)]
    year = f"{YEAR[0]}...{YEAR[-1]}"
    assert place.runs.run(materialize, data, year, landing).answer.success
    months = [each for month in YEAR for each in place.source.months(month)]
    allowed = {month: [place.live.landed(month)] for month in months}

    with place.beside(_reader(place, allowed)) as done:
        outcomes = _rerun_at_once(place, YEAR[: place.numbers.reruns], landing)

    _assert_newest_load_is_current(place, outcomes)
    assert {month: [place.live.landed(month)] for month in months} == allowed
    count("overlapping runs", len(outcomes))
    count("reads meanwhile", done[0])


def test_loads_wait_for_a_reader_that_holds_the_file_and_each_other(
    place: Place, scenarios: dict[str, Scenario], count: Count
) -> None:
    scenario = scenarios["rerun"]
    place.live.restore(scenario.start)
    place.source.serve(1, 2)
    loading = place.source.keys[len(place.source.tables) :]
    holder = (hold, LiveData(place.live.stores), place.numbers.readers_seconds)
    with place.beside(holder) as done:
        landings = [
            place.runs.start(
                materialize_in_random_order,
                str(place.live.data),
                [MONTH] * max(2, place.numbers.reruns // 5),
                place.source.keys,
                0,
            )
        ]
        outcomes = _rerun_at_once(place, [MONTH] * 2, loading)
        outcomes += _outcomes([place.runs.end(each) for each in landings])

    place.assert_whole(scenario)
    place.source.serve(2)
    place.assert_one_rerun_mends(scenario)
    count("overlapping runs", len(outcomes))
    count("reads meanwhile", done[0])


def test_a_slow_old_run_takes_back_its_load_when_a_fast_new_one_was_before_it(
    place: Place, scenarios: dict[str, Scenario], count: Count
) -> None:
    if place.source.hold_next is None:
        pytest.skip("files are not waited for")
    scenario = scenarios["rerun"]
    place.live.restore(scenario.start)
    arrived, go_on = threading.Event(), threading.Event()
    place.source.serve(1)
    place.source.hold_next(arrived, go_on)
    data, keys = str(place.live.data), place.source.keys
    slow = place.runs.start(materialize, data, MONTH, keys)
    assert arrived.wait(60)
    place.source.serve(2)

    fast = place.run().answer
    place.assert_newest(scenario)
    go_on.set()
    slow_ended = place.runs.end(slow).answer

    assert fast.success
    assert slow_ended.success, slow_ended.error
    assert float(slow_ended.loads[MONTH]) < float(fast.loads[MONTH])
    _assert_newest_load_is_current(place, [slow_ended, fast])
    place.assert_newest(scenario)
    place.assert_one_rerun_mends(scenario)
    count("overlapping runs", 2)
