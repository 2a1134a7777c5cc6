"""A run over many months records the good ones, and names the bad ones with the reason of each."""

import logging

import dagster as dg
import pytest

from pipelines_project.orchestration.month_results import (
    MonthResult,
    attempt,
    record,
    refuse_failed,
)

LOG = logging.getLogger(__name__)
KEY = dg.AssetKey(["landing", "demo", "events"])
GOOD = [MonthResult("2023-01", {"rows": 1}), MonthResult("2023-03", {"rows": 3})]


def _run(
    instance: dg.DagsterInstance, results: list[MonthResult], advice: str = ""
) -> dg.ExecuteInProcessResult:
    @dg.asset(
        key=KEY,
        partitions_def=dg.StaticPartitionsDefinition(["2023-01", "2023-02", "2023-03"]),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=dg.RetryPolicy(max_retries=1),
    )
    def events(context: dg.AssetExecutionContext) -> None:
        refuse_failed(context, KEY, results, advice)
        record(context, results)

    months = [result.month for result in results]
    tags = {
        "dagster/asset_partition_range_start": months[0],
        "dagster/asset_partition_range_end": months[-1],
    }
    return dg.materialize([events], instance=instance, tags=tags, raise_on_error=False)


def _recorded(instance: dg.DagsterInstance) -> dict[str | None, dict[str, object]]:
    records = instance.fetch_materializations(KEY, limit=10).records
    return {
        record.partition_key: {name: value.value for name, value in m.metadata.items()}
        for record in records
        if (m := record.asset_materialization)
    }


def test_each_month_is_recorded_with_its_own_metadata(instance: dg.DagsterInstance) -> None:
    result = _run(instance, [GOOD[0], MonthResult("2023-02", {"rows": 2}), GOOD[1]])

    assert result.success
    recorded = _recorded(instance)
    assert {month: metadata["rows"] for month, metadata in recorded.items()} == {
        "2023-01": 1,
        "2023-02": 2,
        "2023-03": 3,
    }


def test_a_failed_month_is_named_and_exactly_the_good_ones_are_recorded(
    instance: dg.DagsterInstance,
) -> None:
    bad = MonthResult("2023-02", {"rows": 2}, error="no answer")
    result = _run(instance, [GOOD[0], bad, GOOD[1]], "Do this.")

    assert not result.success
    assert _recorded(instance) == {"2023-01": {"rows": 1}, "2023-03": {"rows": 3}}
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert failure.step_failure_data.user_failure_data
    description = failure.step_failure_data.user_failure_data.description or ""
    assert description == (
        "1 of 3 months of landing/demo/events failed:\n- 2023-02: no answer\nDo this."
    )


def test_months_that_fail_for_one_reason_are_told_in_one_line(instance: dg.DagsterInstance) -> None:
    months = ["2023-01", "2023-02", "2023-03"]
    reasons = ["no answer", "too few rows", "no answer"]
    result = _run(
        instance, [MonthResult(m, error=why) for m, why in zip(months, reasons, strict=True)]
    )

    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert failure.step_failure_data.user_failure_data
    assert failure.step_failure_data.user_failure_data.description == (
        "3 of 3 months of landing/demo/events failed:\n"
        "- 2023-01, 2023-03: no answer\n- 2023-02: too few rows"
    )


def test_the_failure_is_not_retried_as_that_would_fetch_the_good_months_again(
    instance: dg.DagsterInstance,
) -> None:
    result = _run(instance, [MonthResult("2023-01", error="no answer")])

    assert not result.success
    assert not any(event.is_step_up_for_retry for event in result.all_events)
    assert _recorded(instance) == {}


def test_an_error_of_one_month_becomes_its_result() -> None:
    def work() -> dict[str, int]:
        raise LookupError("no such month")

    assert attempt(LOG, "2023-01", lambda: {"rows": 1}) == MonthResult("2023-01", {"rows": 1})
    assert attempt(LOG, "2023-01", work).error_type == "LookupError"
    assert attempt(LOG, "2023-01", work).error == "no such month"
    assert attempt(LOG, "2023-01", work, lambda error: type(error).__name__).error == "LookupError"


def test_an_error_without_words_still_fails_its_month(instance: dg.DagsterInstance) -> None:
    def work() -> dict[str, int]:
        raise TimeoutError

    result = attempt(LOG, "2023-01", work)

    assert result.error == "TimeoutError()"
    assert not _run(instance, [result]).success


def test_an_interrupt_is_no_result_of_a_month() -> None:
    def work() -> dict[str, int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(LOG, "2023-01", work)
