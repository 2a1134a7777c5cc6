"""Why schedules and sensors leave a table alone: paused, outside its hours, or failing."""

from datetime import UTC, datetime

import dagster as dg

from pipelines_project.orchestration.table_assets import warehouse_key
from pipelines_project.table import Table


def table_tag(table: Table) -> dict[str, str]:
    """Return the tag of a run that is of this table only, by which its failures are counted."""
    return {"pipelines_project/table": f"{table.source}.{table.name}"}


def reason_to_rest(
    context: dg.ScheduleEvaluationContext | dg.SensorEvaluationContext,
    table: Table,
    moment: datetime,
) -> str:
    """Return why no run of the table is started at the moment, or "" if one may be."""
    timing = table.timing
    if timing.paused:
        return "paused in defs.yaml"
    if timing.window and not timing.is_within_window(moment):
        begins, ends = timing.window
        return f"runs start from {begins:%H:%M} to {ends:%H:%M} UTC only"
    if timing.failures_before_pause and _failed_since_success(context.instance, table):
        return (
            f"its last {timing.failures_before_pause} runs failed. Once it is materialized with "
            "success, schedules and sensors go on"
        )
    return ""


def _failed_since_success(instance: dg.DagsterInstance, table: Table) -> bool:
    """Tell whether as many runs as are allowed have failed since the table was last loaded."""
    allowed = table.timing.failures_before_pause or 0
    failed = instance.get_run_records(
        dg.RunsFilter(tags=table_tag(table), statuses=[dg.DagsterRunStatus.FAILURE]), limit=allowed
    )
    loaded = instance.get_latest_materialization_event(warehouse_key(table))
    success = datetime.fromtimestamp(loaded.timestamp if loaded else 0, UTC)
    return sum(record.create_timestamp > success for record in failed) >= allowed
