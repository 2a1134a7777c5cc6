"""The job `<source>_restore_month`: a kept load becomes the current one again, as a new load."""

from collections.abc import Sequence
from functools import partial
from textwrap import indent
from typing import Any

import dagster as dg

from pipelines_project.glue.publication import publication_of
from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.restore import restore
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.commands import job_commands, materialize_commands
from pipelines_project.orchestration.contents import materialization
from pipelines_project.orchestration.land_op import why_failed
from pipelines_project.orchestration.late_run import refuse_late_run
from pipelines_project.orchestration.metadata import landed_metadata
from pipelines_project.orchestration.month_results import attempt
from pipelines_project.orchestration.table_assets import landing_key, names_of, warehouse_key
from pipelines_project.orchestration.tidy import DeleteStaleFilesConfig, tidy
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table


def restore_month_job(
    source: str, tables: Sequence[Table], partitions: dg.MonthlyPartitionsDefinition
) -> dg.JobDefinition:
    """Return the job that lands a kept load of one month of one table again.

    Its launchpad begins with a config that changes nothing and lists the kept loads.
    """
    by_name = {table.name: table for table in tables}
    op_name = f"{source}_restore_month_of_table"

    @dg.op(
        name=op_name,
        description="Land a kept load again, and delete what is stale then.",
        config_schema={
            "table": dg.Field(names_of(source, tables), description="The table."),
            "load_id": dg.Field(
                dg.Noneable(str),
                default_value=None,
                description="The kept load; without one the run fails and lists those there are.",
            ),
        },
        # Not to meet runs that land; nothing but time is lost where they do.
        pool=f"{source}_api",
        out=dg.Out(dg.Nothing),
    )
    def restore_month_of_table(
        context: dg.OpExecutionContext, landing: dg.ResourceParam[LandingZone]
    ) -> None:
        refuse_late_run(context)
        config = context.op_config
        _restore(context, by_name[config["table"]], landing, config["load_id"])

    @dg.job(
        name=f"{source}_restore_month",
        description=f"Make a kept load of a month of {source} the current one again.",
        partitions_def=partitions,
        config={"ops": {op_name: {"config": {"table": tables[0].name, "load_id": None}}}},
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
        return {**landed_metadata(table, landed), "restored_from": load_id}

    # Nothing is asked of the API.
    restored = attempt(context.log, month, work, partial(why_failed, ApiCalls()))
    if restored.error_type == DamagedLoadError.__name__:
        land = materialize_commands(landing_key(table), [month])
        raise dg.Failure(
            f"{restored.error}. What is landed of {month} is unchanged. To land it again:\n{land}",
            allow_retries=False,
        )
    if restored.error:
        raise dg.Failure(
            f"{restored.error}\n{_what_now(table, landing, month)}".rstrip(), allow_retries=False
        )
    # Before anything is deleted: a run that is killed here can be repeated.
    context.log_event(materialization(landing_key(table), restored.metadata, month))
    tidied = attempt(
        context.log,
        month,
        partial(
            tidy,
            table,
            landing,
            DeleteStaleFilesConfig(),
            restored,
            publication_of(table, landing),
        ),
    )
    load = materialize_commands(warehouse_key(table), [month])
    what_now = f"Automation loads it and builds the marts, or at once:\n\n{indent(load, '  ')}"
    context.log.info(f"Restored. {what_now}")
    if tidied.error:
        raise dg.Failure(
            f"{table.source}.{table.name} {month} is restored, beside older files that nobody "
            f"reads: {tidied.error}\n{what_now}",
            allow_retries=False,
        )
    context.add_output_metadata(
        {**tidied.metadata, "what_now": dg.MetadataValue.md(what_now)},
    )


def _what_now(table: Table, landing: LandingZone, month: str) -> str:
    """Return what to do if nothing was restored."""
    if kept := table.month(landing, month).listing().committed[1:]:
        config = {"table": table.name, "load_id": kept[0]}
        command = job_commands(f"{table.source}_restore_month", [month], config)
        return f"Nothing was changed. To restore the newest of those that are kept:\n{command}"
    why = (
        f"{month} was not landed twice since loads are kept"
        if table.keep_loads
        else f"None is kept because keep_loads of {table.source} is 0: set it in defs.yaml, and "
        "the loads that later ones replace are kept"
    )
    land = materialize_commands(landing_key(table), [month])
    return f"Nothing was changed. {why}. To land the month from its source:\n{land}"
