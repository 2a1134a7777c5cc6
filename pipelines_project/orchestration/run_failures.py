"""What a run tells of its failure: which assets, which months, and why."""

from collections.abc import Iterator

import dagster as dg

from pipelines_project.orchestration.table_assets import asset_of_step


def errors_of_run(instance: dg.DagsterInstance, run_id: str) -> dict[str, tuple[str, str]]:
    """Return the type and the text of the error of each asset or op that failed in a run.

    The text of an error that the project has not written itself may quote anything.
    """
    found: dict[str, tuple[str, str]] = {}
    failures = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    for record in failures.records:
        event = record.event_log_entry.dagster_event
        if event is None or event.step_key is None:
            continue
        said, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
        kind = (error.cause.cls_name if error and error.cause else error and error.cls_name) or ""
        name = asset_of_step(event.step_key)
        found.setdefault(name, (kind, (said and said.description) or ""))
    return found


def reasons(result: dg.JobExecutionResult) -> Iterator[str]:
    """Yield why each step of a run of this process has failed."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            said = failure.user_failure_data and failure.user_failure_data.description
            yield said or (failure.error.to_string() if failure.error else "no reason was given")
