"""The asset `warehouse/<source>/<table>`: each month's current load as the rows of a table."""

import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import dagster as dg
import duckdb
from pydantic import Field

from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import in_words
from pipelines_project.orchestration.automation import follows_any_month
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.metadata import (
    defined_metadata,
    layer_tags,
    loaded_metadata,
    nothing_to_land_metadata,
    sample_metadata,
)
from pipelines_project.orchestration.month_results import (
    MonthResult,
    attempt,
    record,
    recorded_if_interrupted,
    refuse_failed,
)
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.orchestration.table_assets import (
    backfill_policy,
    landing_key,
    warehouse_key,
)
from pipelines_project.orchestration.warehouse_settings import warehouse_kind, warehouse_pool
from pipelines_project.orchestration.what_now import what_now_of_loading
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.sample import sample_of
from pipelines_project.warehouse.versions.apply_versions import apply_versions
from pipelines_project.warehouse.versions.files import Version


class LoadConfig(dg.Config):
    """What one run may do differently when it loads."""

    replace_newer_load: bool = Field(
        default=False,
        description="Load a month although the warehouse holds a newer load of it, which was "
        "discarded from the landing zone.",
    )


def warehouse_asset(
    table: Table,
    months: dg.MonthlyPartitionsDefinition,
    versions: Sequence[Version] = (),
) -> dg.AssetsDefinition:
    """Return the asset that loads every month of its run, one transaction each.

    Args:
        table: the table.
        months: of the source.
        versions: what changes the source's tables on purpose.
    """

    @dg.asset(
        key=warehouse_key(table),
        deps=[landing_key(table)],
        description=f"{table.description} `month` says which month a row was landed for.",
        group_name=table.source,
        partitions_def=months,
        backfill_policy=backfill_policy(table),
        automation_condition=follows_any_month(),
        pool=warehouse_pool(),
        kinds={warehouse_kind()},
        owners=table.owners,
        tags=layer_tags("warehouse", table.tags),
        metadata=defined_metadata(table),
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        context.add_asset_metadata({"dagster/storage_kind": warehouse.kind})
        results: list[MonthResult] = []
        asked = list(context.partition_keys)
        again = materialize_commands(warehouse_key(table), asked, one_run=not table.months_per_run)
        with (
            told_plainly(
                context.asset_key.to_user_string(),
                f"What the warehouse has of {in_words(asked)} is unchanged. Once mended:\n{again}",
            ),
            warehouse.connect() as connection,
            recorded_if_interrupted(context, warehouse_key(table), results),
        ):
            apply_and_log(context, connection, table.source, versions)
            for month in asked:
                work = partial(_load, context.log, table, landing, connection, month, config)
                results.append(attempt(context.log, month, work))
            if table.shows_rows:
                context.add_asset_metadata(_sample(context.log, connection, table))
        refuse_failed(context, warehouse_key(table), results, what_now_of_loading(table, results))
        record(context, results)

    return warehouse


def apply_and_log(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    connection: duckdb.DuckDBPyConnection,
    source: str,
    versions: Sequence[Version],
) -> None:
    """Change the source's tables as its versions say, before anything is loaded into them.

    Raises:
        WarehouseError: a version cannot be applied, or an applied one was edited.
    """
    for version in apply_versions(connection, source, versions):
        context.log.info(f"applied {version.name}")


def _load(
    log: logging.Logger,
    table: Table,
    landing: LandingZone,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    config: LoadConfig,
) -> dict[str, Any]:
    place = table.month(landing, month)
    if (reason := table.reason_to_skip(month)) and place.current_load() is None:
        log.info(f"{month}: {reason}")
        return nothing_to_land_metadata(reason)
    started = time.monotonic()
    loaded = load_month(connection, place, table.loader, config.replace_newer_load)
    log.info(f"{month}: {_summary(loaded)} in {time.monotonic() - started:.2f} s")
    return loaded_metadata(table, loaded)


def _sample(
    log: logging.Logger, connection: duckdb.DuckDBPyConnection, table: Table
) -> dict[str, Any]:
    """Return a few rows of the table; that they cannot be read must not undo the loads."""
    try:
        return sample_metadata(sample_of(connection, table.source, table.name))
    except duckdb.Error as error:
        log.warning(f"no rows of {table.source}.{table.name} can be shown: {error}")
        return {}


def _summary(loaded: Loaded) -> str:
    if loaded.skipped:
        return f"{loaded.rows} rows of load {loaded.load_id} were loaded before; looked at"
    if loaded.unchanged:
        return f"{loaded.rows} rows are the same as before; looked at"
    return f"{loaded.rows} rows loaded"
