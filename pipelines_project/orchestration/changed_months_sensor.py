"""The sensor that asks for the months whose raw files changed."""

import json
import time

import dagster as dg

from pipelines_project.orchestration.table_assets import partitions
from pipelines_project.sources.files.changed_months import changed_months
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.table import Table


def changed_months_sensor(
    table: Table, folder: RawFolder, job_name: str, settle_seconds: float, watch_seconds: int
) -> dg.SensorDefinition:
    """Return the sensor: one run a changed month, which lands and loads it; it is off at first."""

    @dg.sensor(
        name=f"{table.source}_{table.name}_changed_months",
        job_name=job_name,
        minimum_interval_seconds=watch_seconds,
        description=f"Land and load the months whose files of {table.name} changed.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        months = {
            month: files
            for month, files in folder.files_by_month().items()
            if partitions(table).has_partition_key(month)
        }
        seen = json.loads(context.cursor or "{}")
        found = changed_months(months, seen, time.time(), settle_seconds)
        waiting = f"still being written: {', '.join(found.unsettled)}" if found.unsettled else ""
        if waiting:
            context.log.info(waiting)
        requests = [
            dg.RunRequest(run_key=f"{table.name} {run_key}", partition_key=month)
            for month, run_key in found.run_keys.items()
        ]
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else waiting or "no file changed",
            cursor=json.dumps(found.seen),
        )

    return sensor
