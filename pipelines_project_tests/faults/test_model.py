"""Whatever is done in whatever order, landing zone and warehouse hold what a model says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from pipelines_project_tests.faults.figures import NUMBERS, Count
from pipelines_project_tests.faults.model import Months

pytestmark = pytest.mark.faults


def test_landing_zone_and_warehouse_hold_what_the_model_says_after_every_step(count: Count) -> None:
    steps = []

    class Counted(Months):
        def teardown(self) -> None:
            steps.append(self.steps)
            super().teardown()

    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=NUMBERS.examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

    count("steps of the model", sum(steps))


def test_a_load_that_a_discard_uncovers_without_its_files_is_said_to_be_lost() -> None:
    state = Months()
    state.start()
    overtaken: Any = state.begin(month="2023-02", rows=[], is_written=False)
    state.land(month="2023-02", rows=[])
    state.commit(run=overtaken, is_killed=True)

    state.discard(month="2023-02")

    assert state.is_lost(overtaken)
    state.every_month_reads_as_its_newest_load()
    state.land(month="2023-02", rows=[])
    state.every_month_reads_as_its_newest_load()
    state.teardown()


def test_a_run_whose_files_went_before_a_discard_says_so_and_takes_its_load_back() -> None:
    state = Months()
    state.start()
    slow: Any = state.begin(month="2023-02", rows=[], is_written=True)
    state.land(month="2023-02", rows=[{"number": 1}])
    state.delete_stale_files(month="2023-02", keep_loads=0, deleted=None)
    state.discard(month="2023-02")

    state.commit(run=slow, is_killed=False)

    assert state.current("2023-02") is None
    state.every_load_that_has_a_record_is_whole()
    state.teardown()


def test_a_load_that_went_as_stale_only_in_part_is_not_uncovered_by_a_discard() -> None:
    state = Months()
    state.start()
    state.land(month="2023-02", rows=[{"number": 1}])
    state.land(month="2023-02", rows=[])
    state.delete_stale_files(month="2023-02", keep_loads=0, deleted=1)

    state.discard(month="2023-02")

    assert state.current("2023-02") is None
    state.every_month_reads_as_its_newest_load()
    state.teardown()
