"""A fleet that lands and loads sources of its own, and whether each row of them came through."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import duckdb
import pytest

from pipelines_project.defs.resources import landing_zone, warehouse
from pipelines_project.landing.read_files import READ_FILES, readable
from pipelines_project.orchestration.run_lock import EXECUTED_BY
from pipelines_project_tests.databases import emptied_database
from pipelines_project_tests.deploy.fleet import Fleet, fleet, redis_server
from pipelines_project_tests.deploy.processor_time import own_servers, processor_seconds
from pipelines_project_tests.deploy.served import Served, serving_sources
from pipelines_project_tests.deploy.served_tables import Rows, Run, ServedTable, Sizes
from pipelines_project_tests.object_store import Gate, signed_in


class Executed(NamedTuple):
    """A run that is executed.

    Attributes:
        run_id: which.
        source: whose tables it materializes.
        worker: the session of its worker.
    """

    run_id: str
    source: str
    worker: int


@dataclass(frozen=True)
class SourceFleet:
    """A fleet with its workers, and what they land.

    Attributes:
        processes: what it consists of.
        instance: its Dagster instance, opened here.
        served: the sources.
        servers: the processes of what else there is, by name.
    """

    processes: Fleet
    instance: dg.DagsterInstance
    served: Served
    servers: Mapping[str, int]

    def processor_seconds(self) -> dict[str, float]:
        """Return what each kind of process has taken of the processors so far."""
        seconds = self.processes.processor_seconds()
        for name, process in self.servers.items():
            seconds[name] = processor_seconds(process)
        seconds["the sources, and who launches"] = time.process_time()
        return seconds

    def executed(self) -> list[Executed]:
        """Return the runs that are executed."""
        executed: list[Executed] = []
        for run in self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
            # A run that is done again has the tags of the first until it begins.
            run_id, _, process = run.tags.get(EXECUTED_BY, "  ").split(" ")
            if run_id != run.run_id or not run.asset_selection:
                continue
            with suppress(ProcessLookupError):
                worker = os.getsid(int(process))
                if self.processes.has(worker):
                    executed.append(Executed(run_id, min(run.asset_selection).path[1], worker))
        return executed

    def replace_worker(self, session: int) -> None:
        """Kill a worker, and start another."""
        self.processes.kill(session)
        self.processes.start("worker")

    def done_again(self) -> set[str]:
        """Return the runs of which another, begun because of them, has succeeded."""
        ended = self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
        origins = [origin for run in ended for origin in (run.parent_run_id, run.root_run_id)]
        return {origin for origin in origins if origin}

    def launch(self, run: Run) -> str:
        """Launch a run that lands and loads, and return its id."""
        keys = [key for table in run.tables for key in table.keys]
        return self.processes.webserver.launch(run.months, *keys)

    def succeeded(self) -> int:
        """Return how many runs have succeeded; that is asked for often, so it must be cheap."""
        return self.instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))

    def executing(self) -> float:
        """Return for how many seconds runs have been executed, all together."""
        records, now = self.instance.get_run_records(), time.time()
        return sum((each.end_time or now) - each.start_time for each in records if each.start_time)

    def missing(self) -> set[tuple[str, str]]:
        """Return month and asset of all that Dagster does not take for loaded."""
        due = {load for run in self.served.runs for load in run.loads}
        loaded = {
            (month, key)
            for key in {key for _, key in due}
            for month in self.instance.get_materialized_partitions(
                dg.AssetKey.from_user_string(key)
            )
        }
        return due - loaded

    def landed(self, table: ServedTable) -> Rows:
        """Return what is compared of the rows in the current loads."""
        rows: Rows = Counter()
        for month in table.months:
            place = landing_zone().month(table.source, table.name, month)
            current = place.current_files()
            assert current, f"{place} has no load"
            with readable(place, current) as load:
                query = f"select '{month}', {table.compared} from {READ_FILES}"
                rows.update(duckdb.execute(query, {"files": load.files}).fetchall())
        return rows

    def loaded(self, table: ServedTable) -> Rows:
        """Return the same of the warehouse."""
        query = f"select month, {table.compared} from {table.source}.{table.name}"
        return Counter(warehouse().rows(query))


@contextmanager
def source_fleet(
    folder: Path, sizes: Sizes, latency: float, *, postgres: str, store: Gate, workers: int
) -> Iterator[SourceFleet]:
    """Give a fleet whose landing zone and lake are in a store, with the catalog in PostgreSQL.

    Args:
        folder: what may be written to.
        sizes: how much the sources serve.
        latency: how many seconds an answer of their APIs waits.
        postgres: the server for Dagster's history and the lake's catalog.
        store: what has the bucket of raw files, landing zone and lake.
        workers: how many there are.
    """
    bucket, history = store.bucket(), emptied_database(postgres, "dagster")
    with (
        redis_server(folder) as redis,
        serving_sources(folder / "raw", sizes, latency, store, bucket) as served,
        pytest.MonkeyPatch.context() as patch,
    ):
        settings = {
            "DAGSTER_POSTGRES_URL": history.replace("postgresql:", "postgresql+psycopg2:"),
            "CELERY_BROKER_URL": redis,
            "LANDING_URL": f"s3://{bucket}/landing",
            "WAREHOUSE_URL": f"ducklake:postgres:{emptied_database(postgres, 'lake')}",
            "WAREHOUSE_DATA_URL": f"s3://{bucket}/lake",
            "REPORT_PATH": str(folder / "report.html"),
            **signed_in(store.store),
            **served.settings,
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        with (
            fleet(folder / "home", workers) as started,
            dg.DagsterInstance.from_config(str(started.home)) as instance,
        ):
            # These APIs answer several at once.
            for source in sizes.months:
                instance.event_log_storage.set_concurrency_slots(f"{source}_api", workers)
            yield SourceFleet(started, instance, served, own_servers(postgres))
