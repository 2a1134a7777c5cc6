"""The sensor that asks for the months whose raw files changed."""

import json
import time
from datetime import UTC, datetime

import dagster as dg

from pipelines_project.orchestration.resting import reason_to_rest
from pipelines_project.orchestration.schedules import keys_of, materialize_job_name, tags_of
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project.sources.files.changed_months import changed_months
from pipelines_project.sources.files.file_table import (
    ALL_MONTHS,
    Settings,
    files_by_month,
    months_of,
)
from pipelines_project.table import Table


def changed_months_sensor(
    table: Table, settings: Settings, settle_seconds: float, watch_seconds: int
) -> dg.SensorDefinition:
    """Return the sensor: one run a changed month, which lands and loads it; it is off at first."""
    months_of_table = monthly_partitions(table.start_month)

    @dg.sensor(
        name=f"{table.source}_{table.name}_changed_months",
        job_name=materialize_job_name(table.source),
        minimum_interval_seconds=watch_seconds,
        description=f"Land and load the months whose files of {table.name} changed.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if reason := reason_to_rest(context, table, datetime.now(UTC)):
            return dg.SensorResult(skip_reason=reason, cursor=context.cursor)
        months = {
            month: files
            for month, files in files_by_month(settings).items()
            if month == ALL_MONTHS or months_of_table.has_partition_key(month)
        }
        seen = json.loads(context.cursor or "{}")
        found = changed_months(months, seen, time.time(), settle_seconds)
        waiting = f"still being written: {', '.join(found.unsettled)}" if found.unsettled else ""
        if waiting:
            context.log.info(waiting)
        requests = [
            dg.RunRequest(
                run_key=f"{table.name} {month if key == ALL_MONTHS else ''}{run_key}",
                partition_key=month,
                asset_selection=keys_of([table]),
                tags=tags_of([table]),
            )
            for key, run_key in found.run_keys.items()
            for month in months_of(settings, key, datetime.now(UTC))
            if months_of_table.has_partition_key(month)
        ]
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else waiting or "no file changed",
            cursor=json.dumps(found.seen),
        )

    return sensor
