"""Tables are aligned, and a run's report holds that run only."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines_project.demo.report import report_of_range, text_table

_PARTITIONS = dg.MonthlyPartitionsDefinition(start_date="2023-01", fmt="%Y-%m")


@dg.asset(
    key=["landing", "games"],
    partitions_def=_PARTITIONS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def games(context: dg.AssetExecutionContext) -> None:
    for number, month in enumerate(context.partition_keys, start=1):
        context.add_asset_metadata(
            {"dagster/partition_row_count": number, "files": 2},
            asset_key=context.asset_key,
            partition_key=month,
        )


@dg.asset(deps=[games])
def mart() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"dagster/row_count": 5})


@dg.asset_check(asset=mart)
def is_small() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=mart)
def is_large() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)


@dg.asset(partitions_def=_PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
def broken() -> None:
    raise ValueError("no games in 2023-02")


def _materialize(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition) -> datetime:
    """Materialize the assets over three months, and return when that began."""
    since = datetime.now(UTC)
    tags = {
        "dagster/asset_partition_range_start": "2023-01",
        "dagster/asset_partition_range_end": "2023-03",
    }
    dg.materialize(
        [*assets, is_small, is_large], instance=instance, tags=tags, raise_on_error=False
    )
    return since


def test_a_report_adds_up_what_the_months_of_an_asset_have(instance: dg.DagsterInstance) -> None:
    report = report_of_range(instance, "2023-01", _materialize(instance, games, mart))

    assert report.assets() == [("landing/games", 3, 1 + 2 + 3, 6), ("mart", None, 5, None)]
    assert report.check_summary() == "1 of 2 checks passed; not mart: is_large"
    assert report.failures == []


def test_a_failed_step_tells_its_reason(instance: dg.DagsterInstance) -> None:
    report = report_of_range(instance, "2023-01", _materialize(instance, broken))

    assert report.failures == ["ValueError: no games in 2023-02"]


def test_other_runs_are_not_in_the_report(instance: dg.DagsterInstance) -> None:
    since = _materialize(instance, games)

    assert report_of_range(instance, "2023-02", since).materialized == []
    assert report_of_range(instance, "2023-01", since + timedelta(hours=1)).materialized == []


def test_numbers_stand_to_the_right_and_what_is_missing_is_a_dash() -> None:
    table = text_table(["name", "rows"], [("one", 1_234), ("second", None)])

    assert table.splitlines() == ["name     rows", "one     1,234", "second      -"]
