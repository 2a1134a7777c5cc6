"""The asset `warehouse/<source>/<table>`: each month's current load as the rows of a table."""

from functools import partial
from typing import Any

import dagster as dg
import duckdb
from pydantic import Field

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.month_results import attempt, materialize_commands, record
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
        key=table.warehouse_key,
        deps=[table.landing_key],
        description=f"{table.description} `month` says which month a row was landed for.",
        group_name=table.source,
        partitions_def=table.partitions,
        backfill_policy=table.backfill_policy,
        automation_condition=follows_any_month(),
        pool=POOL,
        kinds={"duckdb"},
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        landing: LandingZone,
        warehouse: Warehouse,
    ) -> None:
        with warehouse.connect(landing) as connection:
            results = [
                attempt(month, partial(_load, table, landing, connection, month, config))
                for month in context.partition_keys
            ]
        failed = [result.month for result in results if result.error]
        again = materialize_commands(table.warehouse_key, failed)
        record(context, results, f"When the cause is mended:\n{again}" if failed else "")

    return warehouse


def follows_any_month() -> dg.AutomationCondition:
    """Return the condition under which a month is loaded: its landing was updated.

    `eager()` alone looks at the latest month only, and a re-run of an old one would stay unloaded.
    """
    eager = dg.AutomationCondition.eager()
    return counting_failed_runs(eager.without(dg.AutomationCondition.in_latest_time_window()))


def counting_failed_runs(condition: dg.AutomationCondition) -> dg.AutomationCondition:
    """Return the condition with updates counted that came from a run of upstream and asset alike.

    Dagster leaves them out, because such a run goes on to the asset itself. But a run of which
    one month failed records the good ones, and then skips the asset.
    """
    return condition.replace("newly_updated_without_root", dg.AutomationCondition.newly_updated())


def _load(
    table: Table,
    landing: LandingZone,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    config: LoadConfig,
) -> dict[str, Any]:
    place = table.place(landing, month)
    loaded = load_month(connection, landing, place, table.loader, config.replace_newer_load)
    return {
        "dagster/partition_row_count": loaded.rows,
        "load_id": loaded.load_id,
        "skipped": loaded.skipped,
    }
