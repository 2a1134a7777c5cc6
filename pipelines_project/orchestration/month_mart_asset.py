"""The asset of a mart that is built by month: partitioned as the tables that it reads."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines_project.marts.build import Mart
from pipelines_project.marts.build_months import BuiltMonth, BuiltMonths, build_months
from pipelines_project.orchestration.automation import follows_any_change
from pipelines_project.orchestration.mart_asset import (
    columns_metadata,
    mart_key,
    mart_told_plainly,
)
from pipelines_project.orchestration.warehouse_asset import POOL
from pipelines_project.warehouse.database import Warehouse

# Where Dagster looks for the data version of a materialization that is logged.
_DATA_VERSION = "dagster/data_version"


class BuildConfig(dg.Config):
    """What one run may do differently when it builds."""

    full_refresh: bool = Field(
        default=False,
        description="Build the whole table anew, from every month, and not only what has changed.",
    )


def month_mart_asset(
    mart: Mart, upstream: Sequence[dg.AssetKey], months: dg.MonthlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """Return the asset that builds months of the mart.

    Args:
        mart: an incremental model.
        upstream: the assets of the tables that it reads, all of them by month.
        months: all that any of them has.
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
        pool=POOL,
        kinds={"sql", "duckdb"},
    )
    def asset(
        context: dg.AssetExecutionContext,
        config: BuildConfig,
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:
        asked = list(context.partition_keys)
        with mart_told_plainly(mart, asked):
            built = build_months(warehouse, mart, asked, full_refresh=config.full_refresh)
        for month, each in built.months.items():
            if month in asked:
                metadata = month_metadata(each)
                context.add_asset_metadata(metadata, asset_key=mart_key(mart), partition_key=month)
            elif months.has_partition_key(month):
                context.log_event(month_event(mart, built, month))
        contents = {month: built.months[month].content for month in asked}
        return dg.MaterializeResult(
            metadata=_table_metadata(mart, built), data_version=_data_version(contents)
        )

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
        "unchanged": month.unchanged,
        "skipped": month.skipped,
    }


def month_event(mart: Mart, built: BuiltMonths, month: str) -> dg.AssetMaterialization:
    """Return the materialization of a month that no step was asked for."""
    each = built.months[month]
    metadata = {**_table_metadata(mart, built), **month_metadata(each)}
    return dg.AssetMaterialization(
        mart_key(mart), partition=month, metadata=metadata, tags={_DATA_VERSION: each.content}
    )


def _table_metadata(mart: Mart, built: BuiltMonths) -> dict[str, Any]:
    whole = {"built_whole_because": built.whole} if built.whole else {}
    return {**columns_metadata(mart, built.schema, built.origins), **whole}


def _data_version(contents: Mapping[str, str]) -> dg.DataVersion:
    """Return the one version that Dagster takes for all months of a run."""
    if len(contents) == 1:
        return dg.DataVersion(*contents.values())
    text = "".join(contents.values())
    return dg.DataVersion(hashlib.sha256(text.encode()).hexdigest()[:32])
