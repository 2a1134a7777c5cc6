"""The asset `landing/<source>/<table>`, a graph of two ops, and the job that runs the second."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from pipelines_project.orchestration.land_op import LandConfig
from pipelines_project.orchestration.metadata import defined_metadata, layer_tags
from pipelines_project.orchestration.table_assets import backfill_policy, landing_key
from pipelines_project.orchestration.tidy import DeleteStaleFilesConfig
from pipelines_project.table import Table


def landing_asset(
    table: Table,
    land: dg.OpDefinition,
    delete_stale_files: dg.OpDefinition,
    months: dg.MonthlyPartitionsDefinition,
) -> dg.AssetsDefinition:
    """Return the asset: `land` fetches its months, `delete_stale_files` tidies.

    The config of the asset is that of `land`, in one place for both ops.

    Args:
        table: the table.
        land: its op that lands.
        delete_stale_files: its op that tidies.
        months: of the source.
    """

    @dg.config_mapping
    def of_ops(config: LandConfig) -> dict[str, Any]:
        tidying = {"keep_loads": config.keep_loads}
        return {
            land.name: {"config": config.model_dump()},
            delete_stale_files.name: {"config": tidying},
        }

    @dg.graph_asset(
        key=landing_key(table),
        description=table.description,
        group_name=table.source,
        partitions_def=months,
        backfill_policy=backfill_policy(table),
        kinds={"dlt", "parquet"},
        owners=table.owners,
        tags=layer_tags("landing", table.tags),
        metadata=defined_metadata(table),
        config=of_ops,
    )
    def landing() -> None:
        return delete_stale_files(land())

    return landing


def delete_stale_files_job(
    source: str, ops: Sequence[dg.OpDefinition], partitions: dg.MonthlyPartitionsDefinition
) -> dg.JobDefinition:
    """Return the job that deletes the stale files of every table of the source, by month."""

    @dg.job(
        name=f"{source}_delete_stale_files",
        description=f"Delete the stale files of every table of {source} in a month.",
        partitions_def=partitions,
        config={"ops": {op.name: {"config": DeleteStaleFilesConfig().model_dump()} for op in ops}},
    )
    def delete_stale_files() -> None:
        for op in ops:
            op()

    return delete_stale_files
