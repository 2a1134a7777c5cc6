"""The asset `marts/<source>/<model>`: an SQL model as a table."""

from collections.abc import Sequence

import dagster as dg

from pipelines_project.marts.build import Built, Mart, build
from pipelines_project.orchestration.automation import follows_any_change
from pipelines_project.orchestration.metadata import column_schema
from pipelines_project.orchestration.warehouse_asset import POOL
from pipelines_project.warehouse.database import Warehouse


def mart_key(mart: Mart) -> dg.AssetKey:
    """Return the key of the mart's asset."""
    return dg.AssetKey(["marts", mart.source, mart.name])


def mart_asset(mart: Mart, upstream: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset that builds the mart.

    Args:
        mart: the model.
        upstream: the assets of the tables that it reads.
    """

    @dg.asset(
        key=mart_key(mart),
        deps=upstream,
        description=mart.model.description,
        group_name=mart.source,
        # So that a range of months over warehouse and marts can be asked for at once.
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=follows_any_change(),
        pool=POOL,
        kinds={"sql", "duckdb"},
    )
    def asset(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult:
        built = build(warehouse, mart)
        # Whether what a view shows has changed is known to whoever reads it, so it has no version.
        version = None if built.content is None else dg.DataVersion(built.content)
        return dg.MaterializeResult(metadata=mart_metadata(built), data_version=version)

    return asset


def mart_metadata(built: Built) -> dict[str, dg.MetadataValue]:
    """Return what Dagster shows of a mart that was built."""
    return {
        "dagster/row_count": dg.MetadataValue.int(built.rows),
        "dagster/column_schema": dg.MetadataValue.table_schema(column_schema(built.schema)),
        "unchanged": dg.MetadataValue.bool(built.unchanged),
    }
