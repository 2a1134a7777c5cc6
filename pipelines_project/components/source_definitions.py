"""What Dagster shows of a source: the assets of each table, and the jobs and schedules of all."""

from collections.abc import Sequence
from datetime import timedelta
from types import CodeType

import dagster as dg

from pipelines_project.orchestration.automation import automation_sensor
from pipelines_project.orchestration.land_op import land_op
from pipelines_project.orchestration.landing_asset import delete_stale_files_job, landing_asset
from pipelines_project.orchestration.metadata import code_reference
from pipelines_project.orchestration.rebuild_job import rebuild_warehouse_job
from pipelines_project.orchestration.restore_month_job import restore_month_job
from pipelines_project.orchestration.schedules import materialize_job_name, schedules
from pipelines_project.orchestration.versions_job import apply_versions_job
from pipelines_project.orchestration.warehouse_asset import warehouse_asset
from pipelines_project.table import Table
from pipelines_project.warehouse.versions.files import Version

TidiedTables = list[tuple[Table, dg.OpDefinition]]
"""Tables, each with the op that deletes its stale files."""


def assets_of_tables(
    tidied: TidiedTables,
    months: dg.MonthlyPartitionsDefinition,
    versions: Sequence[Version],
    fresh_within: timedelta,
    listed_by: CodeType,
) -> Sequence[dg.AssetsDefinition]:
    """Return the landing and the warehouse asset of each table.

    Args:
        tidied: the tables.
        months: of the source.
        versions: what changes the source's tables on purpose.
        fresh_within: how old the current month may be.
        listed_by: the Python that lists the tables, which their pages lead to, beside the YAML.
    """
    landing = [landing_asset(table, land_op(table), op, months) for table, op in tidied]
    loading = [warehouse_asset(table, months, versions) for table, _ in tidied]
    freshness = dg.FreshnessPolicy.time_window(fresh_within)
    code = code_reference(listed_by.co_filename, listed_by.co_firstlineno, listed_by.co_qualname)
    return dg.map_asset_specs(
        lambda spec: spec.replace_attributes(
            freshness_policy=freshness, metadata={**spec.metadata, **code}
        ),
        [*landing, *loading],
    )


def definitions_of_source(
    tidied: TidiedTables,
    months: dg.MonthlyPartitionsDefinition,
    versions: Sequence[Version],
) -> dg.Definitions:
    """Return the jobs, the schedules and the automation of every table of a source."""
    tables = [table for table, _ in tidied]
    source = tables[0].source
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(
                materialize_job_name(source),
                selection=dg.AssetSelection.groups(source),
                description=f"Land, load and model a month of {source}.",
            ),
            delete_stale_files_job(source, [op for _, op in tidied], months),
            restore_month_job(source, tables, months),
            rebuild_warehouse_job(source, tables, versions),
            apply_versions_job(source, versions),
        ],
        schedules=schedules(source, tables),
        sensors=[automation_sensor(source)],
    )
