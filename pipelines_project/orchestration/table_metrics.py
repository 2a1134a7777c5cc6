"""What Prometheus is told of every table: its months, and its last landing and load."""

from collections.abc import Sequence

import dagster as dg
from prometheus_client import CollectorRegistry, Gauge

from pipelines_project.orchestration.run_history import Watched, run_history
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.table import Table

_LABELS = ("layer", "source", "table")
_LAST = "of the month that was made last"


def table_metrics(instance: dg.DagsterInstance, tables: Sequence[Table]) -> CollectorRegistry:
    """Return the metrics of the tables, as Dagster's history tells them now."""
    registry = CollectorRegistry()
    gauges = {
        name: Gauge(f"pipelines_{name}", text, _LABELS, registry=registry)
        for name, text in {
            "months": "Months that were landed or loaded",
            "months_failed": "Months whose newest run has failed",
            "last_made_timestamp_seconds": "When a month was made last",
            "last_rows": f"Rows {_LAST}",
            "last_seconds": f"Seconds that it took to land, {_LAST}",
        }.items()
    }
    keys = [key for table in tables for key in (landing_key(table), warehouse_key(table))]
    history = run_history(instance, [Watched(key, has_months=True, checks=[]) for key in keys])
    for key in keys:
        found = {
            "months": len(instance.get_materialized_partitions(key)),
            "months_failed": len(history[key.to_user_string()].failed),
            **_last(instance, key),
        }
        for name, value in found.items():
            gauges[name].labels(*key.path).set(value)
    return registry


def _last(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, float]:
    """Return what is known of the month that was made last; nothing before there is one."""
    records = instance.fetch_materializations(key, limit=1).records
    if not records or not (made := records[0].asset_materialization):
        return {}
    rows = made.metadata.get("dagster/partition_row_count")
    seconds = made.metadata.get("seconds")
    told = {"last_rows": rows and rows.value, "last_seconds": seconds and seconds.value}
    return {
        "last_made_timestamp_seconds": records[0].timestamp,
        **{name: float(value) for name, value in told.items() if isinstance(value, int | float)},
    }
