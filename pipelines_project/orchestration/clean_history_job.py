"""The job `clean_history`: what is long past goes, and what tells of what is there now stays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from pipelines_project.glue.manifest import named_files
from pipelines_project.landing.old_loads import old_loads
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.old_history import (
    deletable,
    delete_logs,
    delete_rests,
    delete_run,
    old_runs,
    old_ticks,
    vacuum,
)
from pipelines_project.temporary import delete_abandoned

_OP = "clean_old_history"


class CleanHistoryConfig(dg.Config):
    """What the run does."""

    keep_days: int = Field(default=180, ge=1, description="How many days of history stay.")
    loads_keep_days: int | None = Field(
        default=None,
        ge=1,
        description="After how many days superseded loads go that keep_loads has kept; without a "
        "number they stay.",
    )
    dry_run: bool = Field(default=True, description="Count what would go, and delete nothing.")
    batch: int = Field(default=200, ge=1, description="After how many runs the log says how far.")


def clean_history_job() -> dg.JobDefinition:
    """Return the job; its launchpad begins with a config that deletes nothing."""

    @dg.op(
        name=_OP,
        description="Delete what is long past, but never the newest word on a month or a check.",
        out=dg.Out(dg.Nothing),
    )
    def clean_old_history(
        context: dg.OpExecutionContext,
        config: CleanHistoryConfig,
        landing: dg.ResourceParam[LandingZone],
    ) -> None:
        now, instance = datetime.now(UTC), context.instance
        before, deletes = now - timedelta(days=config.keep_days), not config.dry_run
        runs = old_runs(instance, before)
        gone = deletable(instance, runs)
        counts = {"runs": len(gone), "runs_kept_as_newest": len(runs) - len(gone)}
        if deletes:
            _delete(context, runs, gone, config.batch)
            counts["files_of_deleted_runs"] = delete_rests(instance)
        counts["ticks"] = old_ticks(instance, before, delete=deletes)
        if config.loads_keep_days:
            since = now - timedelta(days=config.loads_keep_days)
            counts["files_of_superseded_loads"] = _clean_loads(landing, since, delete=deletes)
        counts["temporary_folders"] = len(delete_abandoned(dry_run=config.dry_run))
        for said in vacuum(instance) if deletes else ():
            context.log.info(said)
        context.log.info(f"{'would go' if config.dry_run else 'gone'}: {counts}")
        context.add_output_metadata({"dry_run": config.dry_run, **counts})

    default = CleanHistoryConfig().model_dump()

    @dg.job(
        name="clean_history",
        description="Delete runs, events, logs and ticks of long ago, superseded loads, and "
        "temporary folders of runs that were killed.",
        config={"ops": {_OP: {"config": {k: v for k, v in default.items() if v is not None}}}},
    )
    def clean_history() -> None:
        clean_old_history()

    return clean_history


def clean_history_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule that cleans once a week; it is off at first."""
    return dg.ScheduleDefinition(
        name="clean_history_schedule",
        job=job,
        cron_schedule="0 3 * * 0",
        run_config={"ops": {_OP: {"config": {"dry_run": False}}}},
        description="Delete the history of more than 180 days ago, once a week.",
    )


def _delete(
    context: dg.OpExecutionContext, runs: Sequence[str], gone: Sequence[str], batch: int
) -> None:
    """Delete runs one by one, and of the others only what their steps have printed."""
    for number, run_id in enumerate(gone, start=1):
        delete_run(context.instance, run_id)
        if number % batch == 0:
            context.log.info(f"{number} of {len(gone)} runs deleted")
    for run_id in {*runs} - {*gone}:
        delete_logs(context.instance, run_id)


def _clean_loads(landing: LandingZone, before: datetime, *, delete: bool) -> int:
    count = 0
    for month, files in old_loads(landing, before.timestamp()):
        # A run that was killed may have left Athena at an older load.
        read = named_files(month)
        gone = [path for path in files if path not in read]
        count += len(gone)
        if delete:
            month.delete(gone)
    return count
