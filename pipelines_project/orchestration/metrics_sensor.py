"""The sensor that hands the metrics of all tables to a push gateway of Prometheus."""

from collections.abc import Sequence
from importlib.util import find_spec

import dagster as dg

from pipelines_project.extras import how_to_install
from pipelines_project.table import Table

_SECONDS = 10
_NOT_INSTALLED = (
    "the extra `prometheus` is not installed, so no metrics are pushed: "
    f"{how_to_install('prometheus')}"
)


def metrics_sensor(gateway: str, tables: Sequence[Table]) -> dg.SensorDefinition:
    """Return the sensor; it is on.

    What it pushes is how things are and not what has happened since, so that a push that fails or
    comes twice falsifies nothing.

    Args:
        gateway: the address of the push gateway.
        tables: of all sources.
    """

    @dg.sensor(
        name="push_metrics",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Hand the months, failures, rows and ages of all tables to Prometheus.",
    )
    def push_metrics(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not find_spec("prometheus_client"):
            return dg.SkipReason(_NOT_INSTALLED)
        # Here, because the extra may not be there.
        from prometheus_client import push_to_gateway

        from pipelines_project.orchestration.table_metrics import table_metrics

        registry = table_metrics(context.instance, tables)
        try:
            push_to_gateway(gateway, job="pipelines", registry=registry, timeout=_SECONDS)
        except (OSError, ValueError) as error:
            # What the error says may hold the address, and that a password.
            said = f"the push gateway failed: {type(error).__name__}; it is tried again"
            context.log.warning(said)
            return dg.SkipReason(said)
        return dg.SkipReason(f"pushed the metrics of {len(tables)} tables")

    return push_metrics
