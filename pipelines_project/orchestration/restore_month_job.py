"""The job `<source>_restore_month`: a kept load becomes the current one again, as a new load."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.restore import restore
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.delete_stale_files_op import DeleteStaleFilesConfig, tidy
from pipelines_project.orchestration.land_op import why_failed
from pipelines_project.orchestration.late_run import refuse_late_run
from pipelines_project.orchestration.metadata import landed_metadata
from pipelines_project.orchestration.month_results import MonthResult, attempt
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table


class RestoreMonthConfig(dg.Config):
    """Which load of the month is restored."""

    table: str = Field(description="The table.")
    load_id: str | None = Field(
        default=None,
        description="The kept load; without one the run fails and lists those of the month.",
    )


def restore_month_job(
    source: str, tables: Sequence[Table], partitions: dg.MonthlyPartitionsDefinition
) -> dg.JobDefinition:
    """Return the job that lands a kept load of one month of one table again."""

    @dg.op(
        name=f"{source}_restore_month_of_table",
        description="Land a kept load again, and delete what is stale then.",
        # Not to meet runs that land; nothing but time is lost where they do.
        pool=f"{source}_api",
        out=dg.Out(dg.Nothing),
    )
    def restore_month_of_table(
        context: dg.OpExecutionContext,
        config: RestoreMonthConfig,
        landing: dg.ResourceParam[LandingZone],
    ) -> None:
        refuse_late_run(context)
        by_name = {table.name: table for table in tables}
        if config.table not in by_name:
            raise dg.Failure(
                f"{config.table[:80]!r} is no table of {source}: there are {', '.join(by_name)}"
            )
        _restore(context, by_name[config.table], landing, config.load_id)

    @dg.job(
        name=f"{source}_restore_month",
        description=f"Make a kept load of a month of {source} the current one again.",
        partitions_def=partitions,
    )
    def restore_month() -> None:
        restore_month_of_table()

    return restore_month


def _restore(
    context: dg.OpExecutionContext, table: Table, landing: LandingZone, load_id: str | None
) -> None:
    month = context.partition_key

    def work() -> dict[str, Any]:
        landed = restore(table.month(landing, month), load_id)
        return {**landed_metadata(landed), "restored_from": load_id}

    # Nothing is asked of the API.
    restored = attempt(context.log, month, work, partial(why_failed, ApiCalls()))
    if restored.error_type == DamagedLoadError.__name__:
        land = materialize_commands(landing_key(table), [month])
        raise dg.Failure(f"{restored.error}:\n{land}", allow_retries=False)
    _check(restored)
    # Before anything is deleted: a run that is killed here can be repeated.
    context.log_event(
        dg.AssetMaterialization(landing_key(table), partition=month, metadata=restored.metadata)
    )
    tidied = attempt(
        context.log, month, partial(tidy, table, landing, DeleteStaleFilesConfig(), restored)
    )
    _check(tidied)
    load = materialize_commands(warehouse_key(table), [month])
    context.log.info(f"Restored. Automation loads it, or at once:\n{load}")
    context.add_output_metadata({**tidied.metadata, "load_it_at_once": load.strip()})


def _check(result: MonthResult) -> None:
    if result.error:
        raise dg.Failure(result.error, allow_retries=False)
