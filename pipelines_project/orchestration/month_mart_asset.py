"""The asset of a mart that is built by month: partitioned as the tables that it reads."""

import warnings
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines_project.marts.build_months import BuiltMonths, build_months
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.month_rows import BuiltMonth
from pipelines_project.orchestration.automation import follows_any_change
from pipelines_project.orchestration.contents import data_version, materialization
from pipelines_project.orchestration.mart_asset import (
    columns_metadata,
    definition_metadata,
    mart_key,
    mart_told_plainly,
)
from pipelines_project.orchestration.metadata import layer_tags, sample_metadata
from pipelines_project.orchestration.warehouse_settings import warehouse_kind, warehouse_pool
from pipelines_project.warehouse.database import Warehouse


class BuildConfig(dg.Config):
    """What one run may do differently when it builds."""

    full_refresh: bool = Field(
        default=False,
        description="Build the whole table anew, from every month, and not only what has changed.",
    )


def month_mart_asset(
    mart: Mart,
    upstream: Sequence[dg.AssetKey],
    months: dg.MonthlyPartitionsDefinition,
    *,
    shows_rows: bool = False,
) -> dg.AssetsDefinition:
    """Return the asset that builds months of the mart.

    Args:
        mart: an incremental model.
        upstream: the assets of the tables that it reads, all of them by month.
        months: all that any of them has.
        shows_rows: whether no person is in its rows, so that Dagster may show some.
    """
    window = _months_read(mart.model.header.lookback)

    @dg.asset(
        key=mart_key(mart),
        deps=[dg.AssetDep(key, partition_mapping=window) for key in upstream],
        description=mart.model.description,
        group_name=mart.source,
        partitions_def=months,
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=follows_any_change(),
        pool=warehouse_pool(),
        kinds={"sql", warehouse_kind()},
        tags=layer_tags("marts"),
        metadata=definition_metadata(mart),
    )
    def asset(
        context: dg.AssetExecutionContext,
        config: BuildConfig,
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:
        asked = list(context.partition_keys)
        context.add_asset_metadata({"dagster/storage_kind": warehouse.kind})
        with mart_told_plainly(mart, asked):
            built = build_months(
                warehouse, mart, asked, full_refresh=config.full_refresh, shows_rows=shows_rows
            )
        for month, each in built.months.items():
            same = ", the same as before" if each.unchanged or each.skipped else ""
            context.log.info(f"{month}: {each.rows} rows built{same}")
            if month in asked:
                metadata = month_metadata(each)
                context.add_asset_metadata(metadata, asset_key=mart_key(mart), partition_key=month)
            elif months.has_partition_key(month):
                context.log_event(month_event(mart, built, month))
        if shows_rows:
            context.add_asset_metadata(sample_metadata(built.sample))
        of_months = {month: month_metadata(built.months[month]) for month in asked}
        version = data_version(context.instance, mart_key(mart), of_months)
        return dg.MaterializeResult(metadata=_table_metadata(mart, built), data_version=version)

    return asset


def _months_read(lookback: int) -> dg.TimeWindowPartitionMapping:
    """Return which months of a table a month of a mart reads, as far as the table has them."""
    with warnings.catch_warnings():
        # The tables of a mart need not begin in the same month, and a backfill refuses months
        # without that parameter, which Dagster calls beta.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(
            start_offset=-lookback, allow_nonexistent_upstream_partitions=True
        )


def month_metadata(month: BuiltMonth) -> dict[str, Any]:
    """Return what Dagster shows of a month of a mart."""
    return {
        "dagster/partition_row_count": month.rows,
        "content": month.content,
        "unchanged": month.unchanged,
        "skipped": month.skipped,
    }


def month_event(mart: Mart, built: BuiltMonths, month: str) -> dg.AssetMaterialization:
    """Return the materialization of a month that no step was asked for."""
    metadata = {**_table_metadata(mart, built), **month_metadata(built.months[month])}
    return materialization(mart_key(mart), metadata, month)


def _table_metadata(mart: Mart, built: BuiltMonths) -> dict[str, Any]:
    whole = {"built_whole_because": built.whole} if built.whole else {}
    return {**columns_metadata(mart, built.schema, built.origins), **whole}
