"""The job that cleans up after years, for all sources."""

import dagster as dg

from pipelines_project.orchestration.clean_history_job import (
    clean_history_job,
    clean_history_schedule,
)


@dg.definitions
def clean_history() -> dg.Definitions:
    """Return the job and its schedule."""
    job = clean_history_job()
    return dg.Definitions(jobs=[job], schedules=[clean_history_schedule(job)])
