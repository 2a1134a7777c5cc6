"""JSON lines to parquet, parquet to DuckDB, and both: this project, plain dlt, DuckDB alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from benchmarks.case import Case, Contender, Figures, Target, ratio
from benchmarks.measure import in_process
from benchmarks.plain import json_lines
from pipelines_project.components.files import LocalJsonlSource
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.delete_stale_files_op import delete_stale_files_op
from pipelines_project.orchestration.land_op import land_op
from pipelines_project.orchestration.landing_asset import landing_asset
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project.orchestration.warehouse_asset import warehouse_asset
from pipelines_project.sandbox.raw_files import RawFilesOptions
from pipelines_project.temporary import duckdb_session
from pipelines_project.warehouse.database import Warehouse

MONTH = "2024-01"
_SIZES = {100_000: 3, 1_000_000: 3, 10_000_000: 1}


@dataclass(frozen=True)
class EventFiles:
    """The events as JSON lines, and the folder where they were landed before, if they were."""

    raw: Path
    landing: Path

    @property
    def parquet(self) -> str:
        """The landed files, as DuckDB finds them."""
        return f"{self.landing}/local_jsonl/events/*/*.parquet"


Stages = Callable[[EventFiles, Path], object]


def write_events(folder: Path, rows: int) -> Path:
    """Write one file of made-up events for the month, and return the folder of months."""
    options = RawFilesOptions(folder / "raw", [MONTH], 1, rows, 0, 1, "jsonl")
    sum(options.write(MONTH, 1))
    return options.folder


@contextmanager
def _raw_only(rows: int, folder: Path) -> Iterator[EventFiles]:
    yield EventFiles(write_events(folder, rows), folder / "landing")


@contextmanager
def _landed(rows: int, folder: Path) -> Iterator[EventFiles]:
    files = EventFiles(write_events(folder, rows), folder / "landing")
    materialize(files.raw, files.landing, folder, "landing")
    yield files


def materialize(raw: Path, landing: Path, place: Path, *stages: str) -> None:
    """Materialize one or both assets in one run, as Dagster does, with their checks left out."""
    source = LocalJsonlSource(
        name="events",
        description="Made-up events.",
        files="%Y-%m/*.jsonl",
        raw_url=str(raw),
        start_month=MONTH,
    )
    [table] = source.monthly_tables()
    months = monthly_partitions(MONTH)
    assets = {
        "landing": landing_asset(table, land_op(table), delete_stale_files_op(table), months),
        "warehouse": warehouse_asset(table, months),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            [assets[stage] for stage in stages],
            partition_key=MONTH,
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            resources={
                "landing": LandingZone(url=str(landing)),
                "warehouse": Warehouse(url=str(place / "ours.duckdb")),
            },
        )


def copy_lines(files: EventFiles, place: Path) -> None:
    """Copy the lines to parquet with types from every line."""
    with duckdb_session() as connection:
        connection.execute(
            f"copy (select * from read_json('{files.raw}/*/*.jsonl', "
            f"format = 'newline_delimited', sample_size = -1)) to '{place}/limit.parquet'"
        )


def _create(parquet: str, place: Path) -> None:
    with duckdb_session() as connection:
        connection.execute(f"attach '{place}/limit.duckdb' as warehouse; use warehouse")
        connection.execute(f"create table events as select * from '{parquet}'")


def _plain_both(files: EventFiles, place: Path) -> None:
    json_lines.land(files.raw, place / "plain")
    json_lines.load(str(place / "plain" / "events" / "events"), place / "plain")


def _duckdb_both(files: EventFiles, place: Path) -> None:
    copy_lines(files, place)
    _create(f"{place}/limit.parquet", place)


def _contenders(
    ours: Stages, plain: Stages, limit: Stages, most_plain_rows: int
) -> dict[str, Contender[EventFiles]]:
    def run(work: Stages) -> Callable[[EventFiles, Path], Figures]:
        return lambda files, place: in_process(lambda: work(files, place))

    return {
        "ours": Contender(run(ours)),
        # It takes some minutes for a million rows, and ten times as long for ten million.
        "plain dlt": Contender(run(plain), largest=most_plain_rows, rounds=1),
        "duckdb": Contender(run(limit)),
    }


_ROWS = 1_000_000
_OURS, _PLAIN, _LIMIT = ("ours", _ROWS), ("plain dlt", _ROWS), ("duckdb", _ROWS)

JSONL_TO_DUCKDB = Case(
    name="jsonl_to_duckdb",
    what="A file of JSON lines to parquet and on to a DuckDB table, without process start.",
    unit="rows",
    sizes=_SIZES,
    warm_up=1_000,
    prepared=_raw_only,
    contenders=_contenders(
        lambda files, place: materialize(
            files.raw, place / "landing", place, "landing", "warehouse"
        ),
        _plain_both,
        _duckdb_both,
        most_plain_rows=1_000_000,
    ),
    targets=(
        Target("1 million rows: plain dlt over ours", 20, ratio(_PLAIN, _OURS), at_least=True),
        Target("1 million rows: ours over DuckDB alone", 1.5, ratio(_OURS, _LIMIT)),
    ),
)

JSONL_TO_PARQUET = Case(
    name="jsonl_to_parquet",
    what="A file of JSON lines to parquet, without process start.",
    unit="rows",
    sizes=_SIZES,
    warm_up=1_000,
    prepared=_raw_only,
    contenders=_contenders(
        lambda files, place: materialize(files.raw, place / "landing", place, "landing"),
        lambda files, place: json_lines.land(files.raw, place / "plain"),
        copy_lines,
        most_plain_rows=100_000,
    ),
)

PARQUET_TO_DUCKDB = Case(
    name="parquet_to_duckdb",
    what="The same landed parquet to a DuckDB table, without process start.",
    unit="rows",
    sizes=_SIZES,
    warm_up=1_000,
    prepared=_landed,
    contenders=_contenders(
        lambda files, place: materialize(files.raw, files.landing, place, "warehouse"),
        lambda files, place: json_lines.load(str(files.landing / "local_jsonl/events"), place),
        lambda files, place: _create(files.parquet, place),
        most_plain_rows=100_000,
    ),
)
