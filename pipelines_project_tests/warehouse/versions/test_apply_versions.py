"""Versions change tables once, whole or not at all, and every load after them goes by them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.database import UnfitMonthError, Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable
from pipelines_project.warehouse.rebuild import rebuild_table
from pipelines_project.warehouse.versions.apply_versions import apply_versions, pending_versions
from pipelines_project.warehouse.versions.files import Version, read_versions
from pipelines_project_tests.landings import ids_ago, place_of, write_load

pytestmark = pytest.mark.every_warehouse

JANUARY, FEBRUARY, MARCH = MONTHS = ("2024-01", "2024-02", "2024-03")
REPLACE = ReplaceMonth(("id",))
LOADERS = [
    REPLACE,
    ReplaceTable(("id",)),
    History(("id",)),
    History(("id",), whole_months=True, version_column="at"),
]
RENAME_KEY = "alter table demo.events rename column id to number"
RENAME = "alter table demo.events rename column name to title"
DROP = "alter table demo.events drop column note"
BIGGER = "alter table demo.events alter column size type bigint"
INDEX = "create index events_by_title on demo.events (title)"


class _Place:
    """A landing zone, a warehouse and a folder of versions."""

    def __init__(self, landing: LandingZone, warehouse: Warehouse, folder: Path) -> None:
        self.landing, self.warehouse, self.folder = landing, warehouse, folder
        folder.mkdir()

    def land(self, month: str, *rows: dict[str, Any]) -> None:
        write_load(place_of(self.landing, month), ids_ago(0)[0], [rows])

    def load(self, *months: str, loader: Loader = REPLACE) -> None:
        with self.warehouse.connect() as connection:
            for month in months:
                load_month(connection, place_of(self.landing, month), loader)

    def write(self, *files: str) -> tuple[Version, ...]:
        for number, sql in enumerate(files, start=1):
            (self.folder / f"{number:03}_change.sql").write_text(sql)
        return read_versions(self.folder, "demo")

    def apply(self, *files: str, warehouse: Warehouse | None = None) -> list[str]:
        versions = self.write(*files)
        with (warehouse or self.warehouse).connect() as connection:
            return [version.name for version in apply_versions(connection, "demo", versions)]

    def columns(self) -> dict[str, str]:
        with self.warehouse.connect() as connection:
            return column_types(connection, "demo", "events")


@pytest.fixture
def place(landing: LandingZone, warehouse: Warehouse, tmp_path: Path) -> _Place:
    return _Place(landing, warehouse, tmp_path / "versions")


def _row(number: int, month: str, **others: Any) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{month}-03").replace(tzinfo=UTC)
    row = {"id": number, "name": f"of {month}", "note": "n", "size": number, "at": at}
    return row | others


def _shape_and_rows(warehouse: Warehouse) -> list[Any]:
    columns = warehouse.rows(
        """select column_name, data_type from duckdb_columns()
           where schema_name = 'demo' and table_name = 'events' order by all"""
    )
    names = ", ".join(f'"{name}"' for name, _ in columns)
    indexes = "select index_name, sql from duckdb_indexes() where schema_name = 'demo'"
    versions = "select number, name, checksum from ledger.versions"
    rows = f"select {names} from demo.events"
    return [
        columns,
        *(warehouse.rows(f"{query} order by all") for query in (indexes, versions, rows)),
    ]


def _only_in_a_file(place: _Place) -> None:
    """Skip what looks at indexes: DuckLake has none, and DuckDB tells little of PostgreSQL's."""
    if place.warehouse.url.startswith(("ducklake", "postgres")):
        pytest.skip("it looks at indexes")


@pytest.mark.stack
def test_a_renamed_column_takes_the_rows_that_are_landed_by_its_old_name(place: _Place) -> None:
    place.land(JANUARY, {"id": 1, "name": "old"})
    place.land(FEBRUARY, {"id": 2, "name": "new"})
    place.load(JANUARY)

    assert place.apply(RENAME) == ["001_change.sql"]
    place.load(FEBRUARY)

    assert [*place.columns()] == ["month", "id", "title"]
    assert place.warehouse.rows("select title from demo.events order by id") == [("old",), ("new",)]


@pytest.mark.stack
def test_a_source_that_takes_over_the_new_name_goes_on_in_the_same_column(place: _Place) -> None:
    place.land(JANUARY, {"id": 1, "name": "old"})
    place.load(JANUARY)
    place.apply(RENAME)
    place.land(FEBRUARY, {"id": 2, "title": "new"})
    place.load(FEBRUARY)

    assert [*place.columns()] == ["month", "id", "title"]
    place.land(MARCH, {"id": 3, "name": "both", "title": "both"})
    with pytest.raises(UnfitMonthError, match="'title' of 'name' and 'title', and the landed rows"):
        place.load(MARCH)


def test_a_dropped_column_does_not_come_back(place: _Place) -> None:
    place.land(JANUARY, {"id": 1, "note": "n"})
    place.load(JANUARY)
    place.apply(DROP)
    place.land(FEBRUARY, {"id": 2, "note": "n"})
    place.load(FEBRUARY)

    assert [*place.columns()] == ["month", "id"]


@pytest.mark.stack
def test_a_type_that_was_given_stays_whatever_is_landed(place: _Place) -> None:
    place.land(JANUARY, {"id": 1, "size": "007"})
    place.load(JANUARY)
    place.apply(BIGGER)
    place.land(FEBRUARY, {"id": 2, "size": "8"}, {"id": 3, "size": None})
    place.land(MARCH, {"id": 4, "size": 9.0})
    place.load(FEBRUARY, MARCH)

    assert place.columns()["size"] == "BIGINT"
    rows = place.warehouse.rows("select size from demo.events order by id")
    assert rows == [(7,), (8,), (None,), (9,)]


@pytest.mark.stack
def test_a_type_that_was_changed_twice_has_made_the_same_of_rows_whenever_they_are_loaded(
    place: _Place,
) -> None:
    for number, month in enumerate(MONTHS):
        place.land(month, {"id": number, "size": "007"})
    files = BIGGER, BIGGER.replace("bigint", "varchar")
    place.load(JANUARY)
    place.apply(*files[:1])
    place.load(FEBRUARY)
    place.apply(*files)
    place.load(MARCH)

    assert place.warehouse.rows("select size from demo.events") == [("7",)] * 3
    place.land(MARCH, {"id": 2, "size": "many"})
    with pytest.raises(UnfitMonthError, match=r"2024-03: .* example many"):
        place.load(MARCH)


@pytest.mark.parametrize("size", ["many", "1.5", 1.5, "9" * 20])
def test_a_value_that_the_given_type_does_not_hold_is_refused_with_its_month(
    place: _Place, size: Any
) -> None:
    place.land(JANUARY, {"id": 1, "size": "7"})
    place.load(JANUARY)
    place.apply(BIGGER)
    place.land(FEBRUARY, {"id": 2, "size": size}, {"id": 3, "size": None})

    with pytest.raises(UnfitMonthError, match=f"2024-02: .* 'size' BIGINT, .* example {size}$"):
        place.load(FEBRUARY)
    assert place.warehouse.rows("select id, size from demo.events") == [(1, 7)]


@pytest.mark.parametrize("size", ["many", "1.5", "9" * 20])
def test_a_type_that_would_change_a_value_is_refused_and_the_table_stays(
    place: _Place, size: str
) -> None:
    place.land(JANUARY, {"id": 1, "name": "n", "size": size}, {"id": 2, "name": "n", "size": "7"})
    place.load(JANUARY)

    with pytest.raises(WarehouseError, match=rf"001_change.sql cannot .* for example {size}\n"):
        place.apply(f"{RENAME}; {BIGGER}")
    assert place.columns() == {
        "month": "VARCHAR",
        "id": "BIGINT",
        "name": "VARCHAR",
        "size": "VARCHAR",
    }


@pytest.mark.stack
def test_a_version_that_fails_leaves_all_as_it_was_and_can_be_mended(place: _Place) -> None:
    place.land(JANUARY, _row(1, JANUARY))
    place.load(JANUARY)
    before = place.warehouse.rows("from demo.events")

    with pytest.raises(WarehouseError, match=r"002_change.sql cannot .* has no column typo: .*id"):
        place.apply(RENAME, f"{DROP}; alter table demo.events drop column typo")

    assert place.warehouse.rows("from demo.events") == before
    assert "title" in place.columns()
    assert place.apply(RENAME, DROP) == ["002_change.sql"]
    assert "note" not in place.columns()
    assert place.apply(RENAME, DROP) == []


def test_what_is_pending_is_told_without_being_applied(place: _Place) -> None:
    place.land(JANUARY, _row(1, JANUARY))
    place.load(JANUARY)
    place.apply(RENAME)
    versions = place.write(RENAME, DROP)

    with place.warehouse.connect() as connection:
        assert pending_versions(connection, "demo", versions) == [versions[1]]
    assert "note" in place.columns()


@pytest.mark.stack
@pytest.mark.parametrize("loader", LOADERS, ids=str)
def test_a_fresh_warehouse_and_a_rebuilt_one_end_like_one_that_was_changed_on_the_way(
    place: _Place, loader: Loader, tmp_path: Path
) -> None:
    _only_in_a_file(place)
    fresh = _Place(place.landing, Warehouse(str(tmp_path / "fresh.duckdb")), tmp_path / "fresh")
    for month in MONTHS:
        rows = [_row(n, month, size=n if month != MARCH else float(n)) for n in (1, 2)]
        place.land(month, *rows, _row(3, JANUARY))
    files = [RENAME_KEY, f"{RENAME}; {DROP}", f"{INDEX}; {BIGGER}"]

    place.load(JANUARY, loader=loader)
    place.apply(*files[:1])
    place.load(FEBRUARY, loader=loader)
    place.apply(*files)
    place.load(*MONTHS, loader=loader)
    fresh.apply(*files)
    fresh.load(*MONTHS, loader=loader)

    changed = _shape_and_rows(place.warehouse)
    assert {"number", "title"} < place.columns().keys()
    assert place.columns().keys().isdisjoint({"id", "name", "note"})
    assert changed == _shape_and_rows(fresh.warehouse)
    with place.warehouse.connect() as connection:
        rebuild_table(connection, [place_of(place.landing, month) for month in MONTHS], loader)
    assert changed == _shape_and_rows(place.warehouse)


@pytest.mark.stack
def test_an_index_stays_while_columns_are_added_widened_and_renamed(place: _Place) -> None:
    _only_in_a_file(place)
    place.land(JANUARY, {"id": 1, "title": "a", "size": 1})
    place.load(JANUARY)
    place.apply(INDEX)
    place.land(FEBRUARY, {"id": 2, "title": "b", "size": 1.5, "more": 1})
    place.load(FEBRUARY)
    assert place.columns()["size"] == "DOUBLE"

    place.apply(INDEX, "alter table demo.events rename column title to headline")

    indexed = place.warehouse.rows("select index_name, expressions from duckdb_indexes()")
    assert indexed == [("events_by_title", "[headline]")]
    place.apply(
        INDEX,
        "alter table demo.events rename column title to headline",
        "drop index demo.events_by_title",
    )
    assert place.warehouse.rows("from duckdb_indexes()") == []


def test_a_table_that_went_is_dropped_with_what_is_recorded_of_it(place: _Place) -> None:
    place.land(JANUARY, _row(1, JANUARY))
    place.load(JANUARY)

    place.apply(RENAME, "drop table demo.events")

    assert place.columns() == {}
    assert place.warehouse.rows("from ledger.loads") == []


def test_versions_of_a_source_say_nothing_of_another(place: _Place) -> None:
    place.apply(RENAME)
    other = place_of(place.landing, JANUARY, source="other")
    write_load(other, ids_ago(0)[0], [[{"id": 1, "name": "n"}]])

    with place.warehouse.connect() as connection:
        load_month(connection, other, REPLACE)
        assert [*column_types(connection, "other", "events")] == ["month", "id", "name"]


def test_an_edited_version_is_refused_by_name(place: _Place) -> None:
    place.apply(RENAME)

    with pytest.raises(WarehouseError, match=r"001_change.sql is applied .* was edited since"):
        place.apply(f"{RENAME};{DROP}")


def test_a_version_whose_file_is_gone_is_refused_by_name(place: _Place) -> None:
    place.apply(RENAME, DROP)
    (place.folder / "002_change.sql").unlink()

    with pytest.raises(WarehouseError, match=r"002_change.sql of demo is applied"):
        place.apply(RENAME)
