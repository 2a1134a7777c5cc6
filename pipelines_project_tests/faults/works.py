"""What the forked processes do: runs of the assets, and readers beside them."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import duckdb
import pytest
from dlt.common import time as dlt_time

from pipelines_project.components.chess import ChessSource
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.forget_job import forget_job
from pipelines_project.sandbox.faults import Faults
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.faults.live_data import LiveData, Month, Rows


class Outcome(NamedTuple):
    """How a run ended: in Dagster's eyes, what it says, which checks failed, what it landed."""

    success: bool
    error: str
    failed_checks: list[str]
    loads: dict[str, str]


@contextmanager
def _location(defs: dg.Definitions, data: str) -> Iterator[CodeLocation]:
    with dg.DagsterInstance.ephemeral(tempdir=f"{data}/dagster") as instance:
        yield CodeLocation(defs, instance, *_landing_and_warehouse(), Faults(), "")


def _landing_and_warehouse() -> tuple[LandingZone, Warehouse]:
    """Return those of the settings that the forked process has."""
    url, data_url = os.environ["WAREHOUSE_URL"], os.environ.get("WAREHOUSE_DATA_URL", "")
    return LandingZone(url=os.environ["LANDING_URL"]), Warehouse(url=url, data_url=data_url)


def materialize(defs: dg.Definitions, data: str, months: str, keys: list[str]) -> Outcome:
    """Run the assets over months, as a process of Dagster's does, with their checks."""
    with _location(defs, data) as location:
        run = location.materialize(months, *keys)
        failed = [name for name, check in run.checks().items() if not check.passed]
        loads = {month: said["load_id"] for month, said in run.materialized(keys[0]).items()}
        return Outcome(run.result.success, run.error, failed, loads)


def materialize_keeping(defs: dg.Definitions, data: str, month: str, keys: list[str]) -> Outcome:
    """Run the assets of chess, and keep the load that is superseded by it."""
    with _location(defs, data) as location:
        run = location.materialize(month, *keys, keep_loads=1)
        return Outcome(run.result.success, run.error, [], {})


def materialize_in_random_order(
    defs: dg.Definitions, data: str, months: list[str], keys: list[str], seed: int
) -> list[Outcome]:
    """Run the assets once for each of the months."""
    return [
        materialize(defs, data, month, keys)
        for month in random.Random(seed).sample(months, len(months))
    ]


def tidy(defs: dg.Definitions, data: str, month: Month, end: Path) -> int:
    """Delete a month's stale files again and again until the file `end` is there."""
    runs = 0
    with _location(defs, data) as location:
        while not end.exists() or not runs:
            run = location.run(_tidy_job(defs, month), month.month)
            assert run.result.success, run.error
            runs += 1
    return runs


def read(
    _: dg.Definitions, live: LiveData, allowed: dict[Month, list[Rows | None]], end: Path
) -> int:
    """Read the months as the landing rules say, until the file `end` is there; return how often.

    Raises:
        AssertionError: a read is not a whole load, or files went while their load was current.
    """
    reads = 0
    while not end.exists() or not reads:
        for month, versions in allowed.items():
            before = live.landing.month(*month).current_load()
            try:
                landed = live.landed(month)
            except duckdb.Error as error:
                # By fsspec, what is gone is an error of Python.
                if not (isinstance(error, duckdb.IOException) or "FileNotFoundError" in str(error)):
                    raise
                assert live.landing.month(*month).current_load() != before
                continue
            assert landed in versions
            reads += 1
    return reads


def hold(_: dg.Definitions, live: LiveData, seconds: float, end: Path) -> int:
    """Hold the warehouse's file for seconds, again and again until the file `end` is there."""
    reads = 0
    while not end.exists() or not reads:
        with live.warehouse.connect():
            time.sleep(seconds)
        time.sleep(0.5)
        reads += 1
    return reads


def materialize_at(
    defs: dg.Definitions, seconds: float, data: str, month: str, keys: list[str]
) -> Outcome:
    """Run the assets on a machine whose clock is so many seconds ahead, or behind if negative."""
    with clock_ahead(seconds):
        return materialize(defs, data, month, keys)


@contextmanager
def clock_ahead(seconds: float) -> Iterator[None]:
    """Put this process's clock so many seconds ahead, or behind if negative."""
    real = time.time

    def shifted() -> float:
        return real() + seconds

    with pytest.MonkeyPatch.context() as patch:
        for module in (time, dlt_time):
            patch.setattr(module, "time" if module is time else "precise_time", shifted)
        # dlt's load ids never go back in a process, as this clock does, now and afterwards.
        patch.setattr(dlt_time.increasing_precise_time, "_last", 0.0)
        yield


def discard(defs: dg.Definitions, data: str, month: Month, load_id: str) -> None:
    """Delete a load of the month that a wrong clock has put into the future."""
    op = f"{month.source}_{month.table}_delete_stale_files"
    config = {"ops": {op: {"config": {"discard_load_id": load_id}}}}
    with _location(defs, data) as location:
        run = location.run(_tidy_job(defs, month), month.month, config=config)
        assert run.result.success, run.error


def _tidy_job(defs: dg.Definitions, month: Month) -> dg.JobDefinition:
    return defs.resolve_job_def(f"{month.source}_delete_stale_files")


def restore(defs: dg.Definitions, data: str, month: Month, load_id: str) -> Outcome:
    """Run the job that lands a kept load of the month again."""
    op = {"config": {"table": month.table, "load_id": load_id}}
    job = defs.resolve_job_def(f"{month.source}_restore_month")
    config = {"ops": {f"{month.source}_restore_month_of_table": op}}
    with _location(defs, data) as location:
        run = location.run(job, month.month, config=config)
        return Outcome(run.result.success, run.error, [], {})


def forget(defs: dg.Definitions, data: str, player: str) -> Outcome:
    """Run the job that forgets a player, who is not tracked any more."""
    source = ChessSource(
        players="hikaru",
        contact="tests@example.com",
        start_month="2021-01",
    )
    job = forget_job(source.source, source.person, source.monthly_tables(), [])
    landing, warehouse = _landing_and_warehouse()
    resources = {"landing": landing, "warehouse": warehouse}
    forgetful = dg.Definitions(jobs=[job], resources=resources)
    config = {"ops": {"chess_forget_rows": {"config": {"player": player, "dry_run": False}}}}
    with _location(forgetful, data) as location:
        run = location.run(forgetful.resolve_job_def("chess_forget"), config=config)
        return Outcome(run.result.success, run.error, [], {})
