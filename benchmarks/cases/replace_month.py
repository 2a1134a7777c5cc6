"""Replacing one month in a warehouse table that holds many."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from benchmarks.case import Case, Contender, Figures, Target, ratio
from benchmarks.cases.chess import backfill, chess_months
from benchmarks.commands import first_months
from benchmarks.measure import in_process
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.storage import put_file
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.chess.games import GAME_KEY
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth

_LOADER = ReplaceMonth(GAME_KEY)
# So many months, the last ones, are replaced one after the other, each as by a run of its own.
_REPLACED = 5


@dataclass(frozen=True)
class FullTable:
    """A table of many months, and the files of the newer loads that some of them have by now."""

    landing: LandingZone
    warehouse: Path
    newer: Mapping[LandedMonth, str]


@contextmanager
def _full_table(count: int, folder: Path) -> Iterator[FullTable]:
    """Land and load one month of games, and then copies of it as the other months.

    The first month is never replaced, so there must be more months than are replaced.
    """
    with chess_months(1) as served:
        backfill(served, folder)
    landing = LandingZone(url=str(folder / "landing"))
    original = _place(landing, served.months[0])
    warehouse = folder / "warehouse.duckdb"
    places = [_place(landing, month) for month in first_months(count)]
    with Warehouse(url=str(warehouse)).connect() as connection:
        for place in places[1:]:
            _land_copy(original, place)
            load_month(connection, place, _LOADER)
    yield FullTable(
        landing, warehouse, {place: _land_copy(original, place) for place in places[-_REPLACED:]}
    )


def _place(landing: LandingZone, month: str) -> LandedMonth:
    return landing.month("chess", "games", month)


def _land_copy(original: LandedMonth, copy: LandedMonth) -> str:
    """Land the one file of a month as a new load of another, its record last; return its path."""
    load = original.current_files()
    assert load
    [path], [file] = load.files, load.record.files
    load_id = str(time.time())
    new = replace(file, name=file.name.replace(load.load_id, load_id))
    put_file(copy.fs, Path(path), f"{copy.path}/{new.name}")
    copy.commit(replace(load.record, load_id=load_id, files=[new]))
    return f"{copy.path}/{new.name}"


def _ours(full: FullTable, place: Path) -> Figures:
    """Open the warehouse for each month, as its run does."""
    warehouse = Warehouse(url=str(shutil.copy(full.warehouse, place / "ours.duckdb")))

    def work() -> None:
        for month in full.newer:
            with warehouse.connect() as connection:
                loaded = load_month(connection, month, _LOADER)
            if loaded.skipped:
                raise RuntimeError(f"{month} was loaded already")

    return in_process(work)


def _duckdb(full: FullTable, place: Path) -> Figures:
    """Delete and insert, with the files known and nothing checked."""
    warehouse = shutil.copy(full.warehouse, place / "limit.duckdb")

    def work() -> None:
        for place, file in full.newer.items():
            with duckdb.connect(str(warehouse)) as connection:
                connection.execute(f"""
                    begin;
                    delete from chess.games where month = '{place.month}';
                    insert into chess.games by name select *, '{place.month}' as month
                    from read_parquet('{file}', hive_partitioning = false);
                    commit;
                """)

    return in_process(work)


REPLACE_MONTH = Case(
    name="replace_month",
    what=f"{_REPLACED} months of 1,000 games replaced one by one in a table of many months: "
    "this project with everything that it makes sure of, and DuckDB's delete and insert alone.",
    unit="months",
    sizes={10: 5, 100: 5, 1_000: 5},
    prepared=_full_table,
    contenders={"ours": Contender(_ours), "duckdb": Contender(_duckdb)},
    targets=(Target("at 1,000 months over at 10", 1.5, ratio(("ours", 1_000), ("ours", 10))),),
)
