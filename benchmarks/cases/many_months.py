"""What Dagster's ticks take once ten years of many tables are landed, its history in PostgreSQL."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.case import Case, Contender
from benchmarks.cases.many_tables import MONTHS, Tables, linear, of, schedule_tick, tables
from pipelines_project.orchestration.contents import materialization
from pipelines_project.sandbox.postgres import postgres_server


@dataclass
class LandedTables:
    """Tables all of whose months are landed and not loaded, and the automation's last tick."""

    tables: Tables
    last_tick: Any = None

    def tick(self) -> None:
        """Evaluate the conditions of all tables, after those of the last tick."""
        cursor = self.last_tick.cursor if self.last_tick else None
        self.last_tick = dg.evaluate_automation_conditions(
            self.tables.defs, self.tables.instance, cursor=cursor
        )


@contextmanager
def _landed(count: int, folder: Path) -> Iterator[LandedTables]:
    with (
        postgres_server() as server,
        tables(count, folder) as of_one_month,
        tempfile.TemporaryDirectory() as home,
    ):
        url = server.replace("postgresql://", "postgresql+psycopg2://")
        settings = {"storage": {"postgres": {"postgres_url": url}}, "telemetry": {"enabled": False}}
        with dg.DagsterInstance.local_temp(home, overrides=settings) as instance:
            for key in of_one_month.defs.resolve_all_asset_keys():
                if key.path[0] == "landing":
                    _record_all_months(instance, key)
            yield LandedTables(replace(of_one_month, instance=instance))


def _record_all_months(instance: dg.DagsterInstance, key: dg.AssetKey) -> None:
    """Record that each month is landed, in one batch, which takes a twentieth of the time."""
    instance.report_runless_asset_event(materialization(key, _metadata(MONTHS[0]), MONTHS[0]))
    [record] = instance.fetch_materializations(key, 1).records
    entry, event = record.event_log_entry, record.event_log_entry.get_dagster_event()
    data: Any = event.event_specific_data
    others = [
        data._replace(materialization=materialization(key, _metadata(month), month))
        for month in MONTHS[1:]
    ]
    instance.event_log_storage.store_event_batch(
        [entry._replace(dagster_event=event._replace(event_specific_data=each)) for each in others]
    )


def _metadata(month: str) -> dict[str, str]:
    return {"content": f"rows of {month}", "load_id": "1"}


_WORK: dict[str, Contender[LandedTables]] = {
    "first automation tick": of(LandedTables.tick),
    "next automation tick": of(LandedTables.tick),
    "schedule tick": of(lambda landed: schedule_tick(landed.tables)),
}

MANY_MONTHS = Case(
    name="many_months",
    what="Processor seconds of Dagster's ticks over tables of which 120 months each are landed and "
    "none is loaded: the first asks for all of them. PostgreSQL's own are not counted.",
    unit="tables",
    sizes={5: 1, 50: 1, 500: 1},
    prepared=_landed,
    contenders=_WORK,
    targets=tuple(linear(name, larger) for larger in (50, 500) for name in _WORK),
)
