"""The asset `warehouse/<source>/<table>`: each month's current load as the rows of a table."""

from functools import partial
from typing import Any

import dagster as dg
import duckdb
from pydantic import Field

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.automation import follows_any_month
from pipelines_project.orchestration.metadata import loaded_metadata
from pipelines_project.orchestration.month_results import attempt, materialize_commands, record
from pipelines_project.orchestration.table_assets import (
    backfill_policy,
    landing_key,
    partitions,
    warehouse_key,
)
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month

POOL = "warehouse"


class LoadConfig(dg.Config):
    """What one run may do differently when it loads."""

    replace_newer_load: bool = Field(
        default=False,
        description="Load a month although the warehouse holds a newer load of it, which was "
        "discarded from the landing zone.",
    )


def warehouse_asset(table: Table) -> dg.AssetsDefinition:
    """Return the asset that loads every month of its run, one transaction each."""

    @dg.asset(
        key=warehouse_key(table),
        deps=[landing_key(table)],
        description=f"{table.description} `month` says which month a row was landed for.",
        group_name=table.source,
        partitions_def=partitions(table),
        backfill_policy=backfill_policy(table),
        automation_condition=follows_any_month(),
        pool=POOL,
        kinds={"duckdb"},
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        with warehouse.connect(landing) as connection:
            results = [
                attempt(month, partial(_load, table, landing, connection, month, config))
                for month in context.partition_keys
            ]
        failed = [result.month for result in results if result.error]
        again = materialize_commands(warehouse_key(table), failed)
        record(context, results, f"When the cause is mended:\n{again}" if failed else "")

    return warehouse


def _load(
    table: Table,
    landing: LandingZone,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    config: LoadConfig,
) -> dict[str, Any]:
    loaded = load_month(
        connection, table.month(landing, month), table.loader, config.replace_newer_load
    )
    return loaded_metadata(loaded)
