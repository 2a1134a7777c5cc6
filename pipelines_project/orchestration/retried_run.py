"""Runs that Dagster tries again by itself, because their process or their time has ended."""

import dagster as dg

_RETRY_NUMBER, _ROOT = "dagster/retry_number", "dagster/root_run_id"


def began_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> float | None:
    """Return when the first of the runs began that this one goes on with.

    None of a run that somebody, or a schedule, has started: it lands all of its months.
    """
    if _RETRY_NUMBER not in run.tags or _ROOT not in run.tags:
        return None
    first = instance.get_run_record_by_id(run.tags[_ROOT])
    return first.start_time if first else None
