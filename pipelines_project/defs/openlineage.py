"""What tells OpenLineage of runs and datasets; nothing without the address of its service."""

import dagster as dg

from pipelines_project.orchestration.lineage_sensor import lineage_sensor


@dg.definitions
def openlineage() -> dg.Definitions:
    """Return the sensor that tells the service that `OPENLINEAGE_URL` names."""
    service = (dg.EnvVar("OPENLINEAGE_URL").get_value() or "").strip()
    return dg.Definitions(sensors=[lineage_sensor()] if service else [])
