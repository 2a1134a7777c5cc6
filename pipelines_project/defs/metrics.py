"""The metrics, which need to know the tables of all sources; none without a push gateway."""

import dagster as dg

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.orchestration.metrics_sensor import metrics_sensor


@dg.definitions
def metrics(context: dg.ComponentLoadContext) -> dg.Definitions:
    """Return the sensor that pushes to the gateway that `PROMETHEUS_PUSHGATEWAY` names."""
    gateway = (dg.EnvVar("PROMETHEUS_PUSHGATEWAY").get_value() or "").strip()
    if not gateway:
        return dg.Definitions()
    sources = context.component_tree.get_all_components(of_type=MonthlySource)
    tables = [table for source in sources for table in source.monthly_tables()]
    return dg.Definitions(sensors=[metrics_sensor(gateway, tables)])
