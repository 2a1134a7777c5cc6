"""The job `<source>_rebuild_warehouse`: tables are loaded anew from all that is landed of them."""

from collections.abc import Sequence

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.commands import job_commands
from pipelines_project.orchestration.contents import materialization
from pipelines_project.orchestration.late_run import refuse_late_run
from pipelines_project.orchestration.metadata import loaded_metadata
from pipelines_project.orchestration.refusals import REFUSALS, told_plainly
from pipelines_project.orchestration.table_assets import names_of, warehouse_key
from pipelines_project.orchestration.versions_job import NOT_APPLIED
from pipelines_project.orchestration.warehouse_asset import apply_and_log
from pipelines_project.orchestration.warehouse_settings import warehouse_pool
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.rebuild import check_landed, rebuild_table
from pipelines_project.warehouse.versions.files import Version


def rebuild_warehouse_job(
    source: str, tables: Sequence[Table], versions: Sequence[Version]
) -> dg.JobDefinition:
    """Return the job that rebuilds one table of a source, or every one, after its versions.

    Its launchpad begins with a config that changes nothing.
    """
    by_name = {table.name: table for table in tables}
    op_name, job_name = f"{source}_rebuild_tables", f"{source}_rebuild_warehouse"

    @dg.op(
        name=op_name,
        config_schema={
            "table": dg.Field(
                dg.Noneable(names_of(source, tables)),
                default_value=None,
                description="The table; all of them without one.",
            ),
            "dry_run": dg.Field(
                bool, default_value=False, description="Only list the months that would be loaded."
            ),
        },
        description="Load every landed month into a new table, which takes the old one's place.",
        pool=warehouse_pool(),
        out=dg.Out(dg.Nothing),
    )
    def rebuild_tables(
        context: dg.OpExecutionContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        refuse_late_run(context)
        config = context.op_config
        chosen = [by_name[config["table"]]] if config["table"] else [*tables]
        again = job_commands(job_name, config=config)
        if not config["dry_run"]:
            with (
                told_plainly(job_name, f"{NOT_APPLIED} Nothing was rebuilt. Then:\n{again}"),
                warehouse.connect() as connection,
            ):
                apply_and_log(context, connection, source, versions)
        failed: list[str] = []
        for table in chosen:
            try:
                rows = _rebuild(context, table, landing, warehouse, dry_run=config["dry_run"])
            except REFUSALS as error:
                failed.append(f"- {source}.{table.name}: {error}")
            else:
                context.log.info(f"{table.name}: {rows or 'no month is landed'}")
                context.add_output_metadata({table.name: rows})
        if failed:
            raise dg.Failure(
                "\n".join(
                    ["Not rebuilt, so that the old table stays:", *failed, f"Once mended:\n{again}"]
                ),
                allow_retries=False,
            )

    @dg.job(
        name=job_name,
        description=f"Load tables of {source} anew from all months that are landed.",
        config={"ops": {op_name: {"config": {"table": None, "dry_run": True}}}},
    )
    def rebuild_warehouse() -> None:
        rebuild_tables()

    return rebuild_warehouse


def _rebuild(
    context: dg.OpExecutionContext,
    table: Table,
    landing: LandingZone,
    warehouse: Warehouse,
    *,
    dry_run: bool,
) -> dict[str, int]:
    """Rebuild a table, and return the rows of each month; only those of its loads if it is dry."""
    landed = landing.months(table.source, table.name)
    months = [table.month(landing, month) for month in landed]
    if not months:
        return {}
    with warehouse.connect() as connection:
        if dry_run:
            check_landed(connection, months)
            loads = {month.month: month.current_files() for month in months}
            return {m: load.record.rows_of(table.name) for m, load in loads.items() if load}
        loaded = rebuild_table(connection, months, table.loader)
    for month, load in loaded.items():
        context.log_event(
            materialization(warehouse_key(table), loaded_metadata(table, load), month)
        )
    return {month: load.rows for month, load in loaded.items()}
