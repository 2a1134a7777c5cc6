"""How fast JSON lines land and load: this project, plain dlt, and DuckDB alone.

    python -m benchmarks.jsonl_to_parquet --rows 1000000 --rounds 3
    python -m benchmarks.jsonl_to_parquet --rows 20000000 --only project

The three take turns in one process, on the same made-up file, each from the file to a table in a
DuckDB file. The peak memory is the whole process's, so it tells most with `--only project`.
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import dlt
import duckdb
from dlt.sources.filesystem import filesystem, read_jsonl, read_parquet

from pipelines_project.defs.local_jsonl.component import LocalJsonlSource
from pipelines_project.delete_stale_files_op import delete_stale_files_op
from pipelines_project.land_op import land_op
from pipelines_project.landing_asset import landing_asset
from pipelines_project.landing_zone import LandingZone
from pipelines_project.sandbox.raw_files import RawFilesOptions
from pipelines_project.warehouse import Warehouse
from pipelines_project.warehouse_asset import warehouse_asset

_MONTH = "2024-01"


class Taken(NamedTuple):
    """What one run took: seconds by the clock, and seconds of all processors together."""

    seconds: float
    cpu: float


def project(raw: Path, work: Path) -> None:
    """Materialize both assets in one run, as Dagster does, with their checks left out."""
    source = LocalJsonlSource(
        name="events",
        description="Made-up events.",
        files="%Y-%m/*.jsonl",
        raw_url=str(raw),
        start_month=_MONTH,
    )
    [table] = source.tables()
    landing = landing_asset(table, land_op(table), delete_stale_files_op(table))
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            [landing, warehouse_asset(table)],
            partition_key=_MONTH,
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            resources={
                "landing": LandingZone(url=str(work / "landing")),
                "warehouse": Warehouse(url=str(work / "warehouse.duckdb")),
            },
        )


def plain_dlt(raw: Path, work: Path) -> None:
    """Run dlt as its documentation has it, from JSON lines to parquet and on to DuckDB."""
    to_parquet = dlt.pipeline(
        "plain_to_parquet",
        destination=dlt.destinations.filesystem(bucket_url=str(work / "landing")),
        dataset_name="plain",
        pipelines_dir=str(work / "pipelines"),
    )
    lines = filesystem(bucket_url=str(raw), file_glob="*/*.jsonl") | read_jsonl()
    to_parquet.run(lines.with_name("events"), loader_file_format="parquet")
    to_duckdb = dlt.pipeline(
        "plain_to_duckdb",
        destination=dlt.destinations.duckdb(str(work / "warehouse.duckdb")),
        dataset_name="plain",
        pipelines_dir=str(work / "pipelines"),
    )
    parquet = str(work / "landing" / "plain" / "events")
    rows = filesystem(bucket_url=parquet, file_glob="*.parquet") | read_parquet()
    to_duckdb.run(rows.with_name("events"))


def duckdb_alone(raw: Path, work: Path) -> None:
    """Copy to parquet with types from every line, and create the table from it."""
    parquet = str(work / "events.parquet")
    with duckdb.connect(str(work / "warehouse.duckdb")) as connection:
        connection.execute(
            f"copy (select * from read_json('{raw}/*/*.jsonl', format = 'newline_delimited', "
            f"sample_size = -1)) to '{parquet}'"
        )
        connection.execute(f"create table events as select * from '{parquet}'")


_CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    "project": project,
    "plain dlt": plain_dlt,
    "duckdb": duckdb_alone,
}


def main() -> None:
    """Write the file, let the contenders take turns, print what each took."""
    options = _options()
    chosen = options.only or [*_CONTENDERS]
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.folder) as folder:
        raw = _raw(Path(folder), options.rows)
        taken: dict[str, list[Taken]] = {name: [] for name in chosen}
        for at in range(options.rounds):
            for name in chosen:
                taken[name].append(_timed(name, raw, Path(folder)))
                print(f"round {at + 1}: {name} {taken[name][-1].seconds:.2f} s", flush=True)
    medians = {
        name: Taken(*map(statistics.median, zip(*rounds, strict=True)))
        for name, rounds in taken.items()
    }
    print(
        f"\n{'median of':10}{'seconds':>10}{'rows/s':>12}{'x first':>10}"
        f"{'cpu s':>10}{'x first':>10}"
    )
    first = medians[chosen[0]]
    for name, (seconds, cpu) in medians.items():
        print(
            f"{name:10}{seconds:10.2f}{options.rows / seconds:12,.0f}"
            f"{seconds / first.seconds:10.2f}{cpu:10.2f}{cpu / first.cpu:10.2f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory of the process: {peak / 1024:,.0f} MB; {os.cpu_count()} processors")


def _raw(folder: Path, rows: int) -> Path:
    options = RawFilesOptions(folder / "raw", [_MONTH], 1, rows, 0, 1, "jsonl")
    # In a process of its own, whose memory is not counted.
    if (child := os.fork()) == 0:
        sum(options.write(_MONTH, 1))
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("the raw file could not be written")
    size = sum(path.stat().st_size for path in options.folder.rglob("*.jsonl"))
    print(f"{rows:,} rows, {size / 1e9:.2f} GB", flush=True)
    return options.folder


def _timed(name: str, raw: Path, folder: Path) -> Taken:
    work = folder / "work"
    work.mkdir()
    started = Taken(time.perf_counter(), time.process_time())
    _CONTENDERS[name](raw, work)
    taken = Taken(time.perf_counter() - started.seconds, time.process_time() - started.cpu)
    shutil.rmtree(work)
    return taken


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", action="append", choices=[*_CONTENDERS], help="may be repeated")
    parser.add_argument("--folder", help="where the files are written; default: the temporary one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
