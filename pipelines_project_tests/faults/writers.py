"""What writes to the warehouse besides a load that replaces its month, and what it starts from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build_months import build_months
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.rebuild import rebuild_table
from pipelines_project.warehouse.versions.apply_versions import apply_versions
from pipelines_project.warehouse.versions.files import read_versions
from pipelines_project_tests.landings import place_of, write_load

MONTHS = JANUARY, FEBRUARY, MARCH = ("2024-01", "2024-02", "2024-03")
REPLACE = ReplaceMonth(("id",))
HISTORY = History(("id",), whole_months=True, version_column="at")
MART = "-- incremental: month\nselect month, name, count(*) as n from demo.events group by all"
VERSIONS = (
    "alter table demo.events rename column name to title;"
    "create index events_by_title on demo.events (title)",
    "alter table demo.events drop column note;"
    "alter table demo.events alter column size type bigint",
    "alter table demo.events rename column title to headline",
)


@dataclass(frozen=True)
class Data:
    """The folder of a landing zone and a warehouse, with a mart and versions."""

    folder: Path

    @property
    def zone(self) -> LandingZone:
        return LandingZone(url=str(self.folder / "landing"))

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(url=str(self.folder / "warehouse.duckdb"))

    def land(self, load: int, month: str, *rows: dict[str, Any]) -> None:
        write_load(place_of(self.zone, month), f"{load}.5", [rows])

    def land_all(self) -> None:
        """Land months of which each states one row anew, one as it was, and one of its own."""
        for number, month in enumerate(MONTHS, start=1):
            own = _row(10 + number, month)
            self.land(number, month, _row(1, month), _row(2, JANUARY), own)

    def load(self, loader: Loader, *months: str) -> None:
        with self.warehouse.connect() as connection:
            for month in months:
                load_month(connection, place_of(self.zone, month), loader)

    def rebuild(self, loader: Loader) -> None:
        with self.warehouse.connect() as connection:
            rebuild_table(connection, [place_of(self.zone, month) for month in MONTHS], loader)

    def build_mart(self) -> None:
        path = self.folder / "by_month.sql"
        path.write_text(MART)
        build_months(self.warehouse, Mart("demo", parse_model(path)), MONTHS)

    def apply(self, files: int) -> None:
        folder = self.folder / "versions"
        folder.mkdir(exist_ok=True)
        for number, sql in enumerate(VERSIONS, start=1):
            (folder / f"{number:03}_change.sql").write_text(sql)
        versions = read_versions(folder, "demo")[:files]
        with self.warehouse.connect() as connection:
            apply_versions(connection, "demo", versions)


def _row(number: int, month: str, **others: Any) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{month}-03").replace(tzinfo=UTC)
    row = {"id": number, "name": f"of {month}", "note": "n", "size": number, "more": 1, "at": at}
    return row | others


Act = Callable[[Data], None]


@dataclass(frozen=True)
class Writer:
    """Something that writes to the warehouse.

    Attributes:
        before: makes what there is before it.
        act: writes.
        between: what is whole on the way, each made from the one before it.
    """

    before: Sequence[Act]
    act: Act
    between: Sequence[Act] = ()


def _loaded(loader: Loader, *months: str) -> list[Act]:
    """Land all months, and load some of them."""
    return [Data.land_all, lambda data: data.load(loader, *months)]


WRITERS = {
    "a month between others of a history": Writer(
        _loaded(HISTORY, JANUARY, MARCH),
        lambda data: data.load(HISTORY, FEBRUARY),
    ),
    "a month of a history again": Writer(
        [
            *_loaded(HISTORY, *MONTHS),
            lambda data: data.land(9, FEBRUARY, _row(1, JANUARY), _row(3, FEBRUARY, size=1.5)),
        ],
        lambda data: data.load(HISTORY, FEBRUARY),
    ),
    "a month of a mart": Writer(
        [
            *_loaded(REPLACE, *MONTHS),
            Data.build_mart,
            lambda data: data.land(9, FEBRUARY, _row(1, JANUARY)),
            lambda data: data.load(REPLACE, FEBRUARY),
        ],
        Data.build_mart,
    ),
    "a whole mart": Writer(_loaded(REPLACE, *MONTHS), Data.build_mart),
    "a table that is rebuilt": Writer(
        _loaded(REPLACE, JANUARY),
        lambda data: data.rebuild(REPLACE),
    ),
    "a history that is rebuilt from rows without one": Writer(
        _loaded(REPLACE, *MONTHS),
        lambda data: data.rebuild(HISTORY),
    ),
    "versions": Writer(
        _loaded(REPLACE, JANUARY),
        lambda data: data.apply(3),
        [lambda data: data.apply(1), lambda data: data.apply(2)],
    ),
    "a load that widens a column of a table with an index": Writer(
        [
            *_loaded(REPLACE, JANUARY),
            lambda data: data.apply(3),
            lambda data: data.land(9, FEBRUARY, _row(1, FEBRUARY, more=1.5, most=1)),
        ],
        lambda data: data.load(REPLACE, FEBRUARY),
    ),
}


def write(_: dg.Definitions, name: str, folder: str) -> None:
    """Do what the writer of that name does."""
    WRITERS[name].act(Data(Path(folder)))
