"""In whatever order months are landed and loaded, the history is what a naive model says."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from pipelines_project_tests.faults.figures import NUMBERS, Count
from pipelines_project_tests.faults.history_model import Histories

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("by_column", [False, True])
@pytest.mark.parametrize("whole_months", [False, True])
def test_the_table_is_what_loading_all_months_in_order_from_scratch_gives(
    count: Count, whole_months: bool, by_column: bool
) -> None:
    steps = []

    class Chosen(Histories):
        def teardown(self) -> None:
            steps.append(self.steps)
            super().teardown()

    Chosen.whole_months, Chosen.by_column = whole_months, by_column
    run_state_machine_as_test(
        Chosen,
        settings=settings(
            max_examples=NUMBERS.examples,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

    count("steps of the model", sum(steps))
