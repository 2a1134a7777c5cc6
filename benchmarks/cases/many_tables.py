"""What Dagster's work takes as the tables of a source become many, ten years of months each."""

import os
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster.components.testing import create_defs_folder_sandbox

from benchmarks.case import CPU, Case, Contender, Figures, Input, Target, ratio
from benchmarks.measure import in_process
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse

_DOCUMENT = """type: pipelines_project.components.SqlTables
attributes:
  source: many
  start_month: "2015-01"
  connection: MANY_TABLES_URL
  tables:
"""
_TABLE = "    - {{name: t{0}, table: t{0}, key: [id], month_column: at}}\n"
MONTHS = [f"{year}-{month:02d}" for year in range(2015, 2025) for month in range(1, 13)]
_TICK = datetime(2024, 5, 10, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Tables:
    """So many tables of one database, as they are deployed.

    Attributes:
        folder: their `defs.yaml`.
        defs: loaded from it.
        instance: with the history of what is landed: the first month of the first table.
    """

    folder: Path
    defs: dg.Definitions
    instance: dg.DagsterInstance


@contextmanager
def _loaded(folder: Path, data: Path) -> Iterator[dg.Definitions]:
    resources = {
        "landing": LandingZone(url=str(data / "landing")),
        "warehouse": Warehouse(url=str(data / "warehouse.duckdb")),
    }
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shutil.copytree(folder, sandbox.defs_folder_path / "many")
        with sandbox.build_all_defs() as defs:
            merged = dg.Definitions.merge(defs, dg.Definitions(resources=resources))
            merged.get_repository_def()
            yield merged


@contextmanager
def tables(count: int, folder: Path) -> Iterator[Tables]:
    """Give so many tables, of which one has a month landed."""
    with sqlite3.connect(folder / "many.sqlite") as database:
        for number in range(count):
            database.execute(f"create table t{number} (id integer primary key, at timestamp)")
            database.execute(f"insert into t{number} values (1, '2024-05-01 00:00:00')")
    os.environ["MANY_TABLES_URL"] = f"sqlite:///{folder / 'many.sqlite'}"
    (folder / "defs").mkdir()
    document = _DOCUMENT + "".join(_TABLE.format(number) for number in range(count))
    (folder / "defs" / "defs.yaml").write_text(document)
    with (
        _loaded(folder / "defs", folder) as defs,
        dg.DagsterInstance.local_temp(str(folder)) as instance,
    ):
        _land(defs, instance)
        try:
            yield Tables(folder / "defs", defs, instance)
        finally:
            del os.environ["MANY_TABLES_URL"]


def _land(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    job = defs.resolve_implicit_global_asset_job_def()
    key = dg.AssetKey(["landing", "many", "t0"])
    job.execute_in_process(instance=instance, asset_selection=[key], partition_key="2024-05")


def _check(tables: Tables) -> None:
    """Look for stale files of every table in one month."""
    keys = [dg.AssetKey(["landing", "many", f"t{n}"]) for n in range(_count(tables))]
    checks = [dg.AssetCheckKey(key, "no_stale_files") for key in keys]
    selection = dg.AssetSelection.checks(*checks)
    looking = dg.define_asset_job("look", selection=selection, executor_def=dg.in_process_executor)
    defs = dg.Definitions.merge(tables.defs, dg.Definitions(jobs=[looking]))
    defs.resolve_job_def("look").execute_in_process(instance=tables.instance)


def _count(tables: Tables) -> int:
    return sum(key.path[0] == "landing" for key in tables.defs.resolve_all_asset_keys())


def schedule_tick(tables: Tables) -> None:
    """Ask the schedule of all tables which runs are due."""
    repository = tables.defs.get_repository_def()
    schedule = tables.defs.resolve_schedule_def("many_materialize_schedule")
    context = dg.build_schedule_context(
        tables.instance, scheduled_execution_time=_TICK, repository_def=repository
    )
    schedule.evaluate_tick(context)


def _automation(tables: Tables) -> None:
    dg.evaluate_automation_conditions(tables.defs, tables.instance)


def _launch(tables: Tables) -> None:
    """Create the run of a backfill of all landed tables over all their months."""
    keys = [key for key in tables.defs.resolve_all_asset_keys() if key.path[0] == "landing"]
    job = tables.defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={*keys})
    tags = {
        "dagster/asset_partition_range_start": MONTHS[0],
        "dagster/asset_partition_range_end": MONTHS[-1],
    }
    tables.instance.create_run_for_job(job, tags=tags, asset_selection=frozenset(keys))


def _definitions(tables: Tables, place: Path) -> Figures:
    def load() -> None:
        with _loaded(tables.folder, place):
            pass

    return in_process(load)


def of(work: Callable[[Input], object], largest: int | None = None) -> Contender[Input]:
    """Return what does the work in this process."""
    return Contender(lambda given, _: in_process(lambda: work(given)), largest)


def linear(name: str, larger: int) -> Target:
    """Return the target that ten times the tables take little more than ten times as long."""
    return Target(
        f"{name}: processor seconds at {larger} tables over {larger // 10}",
        12,
        ratio((name, larger), (name, larger // 10), CPU),
    )


_WORK: dict[str, Contender[Tables]] = {
    "definitions": Contender(_definitions),
    "land a month": of(lambda tables: _land(tables.defs, tables.instance)),
    "no_stale_files": of(_check),
    "schedule tick": of(schedule_tick),
    "automation tick": of(_automation),
    # Dagster writes an event for each month of each table: 6,000 take two minutes on SQLite.
    "launch 120 months": of(_launch, largest=50),
}

MANY_TABLES = Case(
    name="many_tables",
    what="Processor seconds of what Dagster does with so many tables of one source: loading them, "
    "landing a month of one, checking a month of all, a tick, a launch of all months.",
    unit="tables",
    sizes={5: 1, 50: 1, 500: 1},
    prepared=tables,
    contenders=_WORK,
    targets=tuple(
        linear(name, 500) for name, contender in _WORK.items() if contender.largest is None
    ),
)
