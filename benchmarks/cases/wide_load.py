"""Parquet of wide rows to DuckDB, without process start: this project and DuckDB alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.case import CPU, Case, Contender, Target, ratio
from benchmarks.measure import in_process
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import LoadRecord, recorded_file
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.raw_files import RawFilesOptions
from pipelines_project.sandbox.wide_rows import WideRows
from pipelines_project.temporary import duckdb_session
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth

_MONTH = "2024-01"
_COLUMNS = 150
# Of each kind that DuckDB reads from JSON without losing anything.
_KINDS = ("ints", "text", "sparse")
_VALUE_BYTES = 5_000
_LOADER = ReplaceMonth(("event_id",))


@contextmanager
def _landed(rows: int, folder: Path) -> Iterator[LandedMonth]:
    """Land a month of wide rows as one file that DuckDB writes."""
    wide = WideRows(_COLUMNS, _KINDS, _VALUE_BYTES, levels=1)
    raw = RawFilesOptions(folder / "raw", [_MONTH], 1, rows, 0, 1, "jsonl", wide)
    sum(raw.write(_MONTH, 1))
    month = LandingZone(url=str(folder / "landing")).month("demo", "wide", _MONTH)
    load_id = str(time.time())
    file = Path(month.path) / f"{load_id}.wide.parquet"
    file.parent.mkdir(parents=True)
    with duckdb_session() as connection:
        [(rows,)] = connection.execute(
            f"copy (from read_json('{raw.folder}/*/*.jsonl', format = 'newline_delimited', "
            f"sample_size = -1)) to '{file}' (row_group_size 8192)"
        ).fetchall()
    month.commit(LoadRecord(load_id, {}, [recorded_file("wide", file.name, rows, file)]))
    yield month


def _load(month: LandedMonth, place: Path) -> None:
    warehouse = Warehouse(url=str(place / "ours.duckdb"))
    with warehouse.connect() as connection:
        load_month(connection, month, _LOADER)


def _create(month: LandedMonth, place: Path) -> None:
    with duckdb_session() as connection:
        connection.execute(f"attach '{place}/limit.duckdb' as warehouse; use warehouse")
        connection.execute(f"create table wide as from '{month.path}/*.parquet'")


_ROWS = 100_000

WIDE_LOAD = Case(
    name="wide_load",
    what=f"Landed parquet of {_COLUMNS} columns to a DuckDB table, without process start.",
    unit="rows",
    sizes={_ROWS: 3},
    warm_up=100,
    prepared=_landed,
    contenders={
        "ours": Contender(lambda month, place: in_process(lambda: _load(month, place))),
        "duckdb": Contender(lambda month, place: in_process(lambda: _create(month, place))),
    },
    targets=(
        Target(
            f"{_COLUMNS} columns: ours over DuckDB alone",
            1.6,
            ratio(("ours", _ROWS), ("duckdb", _ROWS), CPU),
        ),
    ),
)
