"""A CSV file to parquet: this project, and DuckDB alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.case import Case, Contender, Figures, Target, ratio
from benchmarks.measure import in_process
from pipelines_project.landing.accounting import accounted
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.files.rows import file_rows
from pipelines_project.sources.files.settings import FileSettings
from pipelines_project.temporary import duckdb_session

MONTH = "2024-01"
_ROWS = """
select i as id,
    timestamp '2024-01-01' + interval (i % 2600000) second as created_at,
    date '2024-01-01' + (i % 31)::integer as day,
    'customer ' || (hash(i) % 100000) as customer,
    (hash(i * 7) % 1000000)::decimal(12, 2) / 100 as amount,
    hash(i * 3) % 1000 as quantity,
    (hash(i * 5) % 10000) / 7.0 as score,
    i % 3 = 0 as paid,
    'DE' || (i % 17) as region,
    case when i % 5 = 0 then 'a note, with comma ' || i end as note
from range({rows}) as numbers (i)
"""


@contextmanager
def _csv_file(rows: int, folder: Path) -> Iterator[Path]:
    raw = folder / "raw"
    raw.mkdir()
    with duckdb_session() as connection:
        query = _ROWS.format(rows=rows)
        connection.execute(f"copy ({query}) to '{raw}/{MONTH}.csv' (header)")
    yield raw


def land(raw: Path, place: Path) -> None:
    """Land the month as the op does, with the account of every line."""
    settings = FileSettings("orders", RawFolder(str(raw), "%Y-%m.csv"), "csv")
    month = LandingZone(str(place / "landing")).month("sales", "orders", MONTH)
    land_month(month, lambda month, fetch: file_rows(settings, month, dict, fetch), accounted)


def _copied(options: str) -> Callable[[Path, Path], None]:
    def copy(raw: Path, place: Path) -> None:
        with duckdb_session() as connection:
            rows = f"read_csv('{raw}/{MONTH}.csv'{options})"
            connection.execute(
                f"copy (select * from {rows}) to '{place}/limit.parquet' (compression zstd)"
            )

    return copy


def _contender(work: Callable[[Path, Path], None]) -> Contender[Path]:
    def run(raw: Path, place: Path) -> Figures:
        return in_process(lambda: work(raw, place))

    return Contender(run)


_OURS, _EVERY_ROW, _SAMPLED = "ours", "duckdb, every row", "duckdb, sampled"
_MANY = 10_000_000

CSV_TO_PARQUET = Case(
    name="csv_to_parquet",
    what="A file of ten columns to parquet, without process start; DuckDB with types from every "
    "row, as here, and from the first 20,480 rows, after which a misfit is an error.",
    unit="rows",
    sizes={1_000_000: 3, _MANY: 1},
    warm_up=1_000,
    prepared=_csv_file,
    contenders={
        _OURS: _contender(land),
        _EVERY_ROW: _contender(_copied(", sample_size = -1")),
        _SAMPLED: _contender(_copied("")),
    },
    targets=(
        Target(
            "10 million rows: ours over DuckDB, every row",
            1.5,
            ratio((_OURS, _MANY), (_EVERY_ROW, _MANY)),
        ),
        Target(
            "10 million rows: ours over DuckDB, sampled",
            1.5,
            ratio((_OURS, _MANY), (_SAMPLED, _MANY)),
        ),
    ),
)
