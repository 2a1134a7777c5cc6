"""Refusal of a run that waited too long in the queue for what it does to be still wanted."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines_project.orchestration.commands import job_commands

LONGEST_WAIT = timedelta(hours=1)


def refuse_late_run(context: dg.OpExecutionContext) -> None:
    """Refuse to begin if the run was asked for more than an hour ago.

    Without a daemon a run stays in the queue, and begins when a daemon is started: days later, with
    what is landed by then. What replaces or removes rows must not come as a surprise.

    Raises:
        dagster.Failure: says how long the run has waited; nothing was changed.
    """
    record = context.instance.get_run_record_by_id(context.run_id)
    waited = _now() - record.create_timestamp if record else timedelta(0)
    if waited > LONGEST_WAIT:
        months = [context.partition_key] if context.has_partition_key else []
        again = job_commands(context.job_name, months, context.op_config)
        raise dg.Failure(
            f"{context.job_name}: this run was asked for {_in_words(waited)} ago and has waited "
            "since. What is there now may be other than what it was meant for, so nothing was "
            f"changed. If it is still wanted, launch it again:\n{again}",
            allow_retries=False,
        )


def _in_words(waited: timedelta) -> str:
    minutes = int(waited.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min"


def _now() -> datetime:
    return datetime.now(UTC)
