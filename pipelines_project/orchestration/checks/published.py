"""The check of what is published: Athena reads the current load of each month, and all of it."""

from collections.abc import Sequence

from pipelines_project.glue.publication import publication_of
from pipelines_project.orchestration.checks.looked import Looked, Wrong
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.commands import job_commands
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.table import Table


def published_checks(table: Table) -> Sequence[MonthlyCheck]:
    """Return the check of a table that is published, none of one that is not."""
    return [_athena_reads_current_loads(table)] if table.glue_database else []


def _athena_reads_current_loads(table: Table) -> MonthlyCheck:
    def wrong(looked: Looked) -> Wrong:
        publication = publication_of(table, looked.landing)
        found = looked.where(publication.wrong) if publication else {}
        job = f"{table.source}_delete_stale_files"
        return {
            month: f"{text}. To publish the month again:\n{job_commands(job, [month])}"
            for month, text in found.items()
        }

    return MonthlyCheck(
        table,
        landing_key(table),
        "athena_reads_current_loads",
        "Athena reads the files of each month's current load and no others, by columns of their "
        "types.",
        wrong,
    )
