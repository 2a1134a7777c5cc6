"""Months are merged: the newest version of each key stays, whichever load comes when."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.loaders.merge_month import MergeMonth
from pipelines_project_tests.landings import place_of, write_load
from pipelines_project_tests.loaders import LoaderOf

pytestmark = pytest.mark.every_warehouse

_LOADER = MergeMonth("id", ("spam", "deleted"))
_JANUARY, _FEBRUARY = "2023-01", "2023-02"


def _row(row_id: int, day: str, note: str = "", **marks: Any) -> dict[str, Any]:
    updated = datetime.fromisoformat(f"2023-{day}").replace(tzinfo=UTC)
    marked = {"spam": False, "deleted": False, **marks}
    return {"id": row_id, "updated_at": updated, "note": note, **marked}


_SCHEMA = pa.Table.from_pylist([_row(1, "01-01", "a")]).schema


class _Table:
    """One table of a landing zone and a warehouse, landed and loaded month by month."""

    def __init__(self, landing: LandingZone, warehouse: Warehouse) -> None:
        self._landing, self._warehouse, self._loads = landing, warehouse, 0

    def land(self, month: str, *rows: dict[str, Any]) -> None:
        self._loads += 1
        landed = pa.Table.from_pylist([*rows]) if rows else _SCHEMA.empty_table()
        write_load(place_of(self._landing, month), f"{self._loads}.5", [landed])

    def load(self, month: str, **options: Any) -> Loaded:
        with self._warehouse.connect() as connection:
            place = place_of(self._landing, month)
            return load_month(connection, place, _LOADER, **options)

    def rows(self) -> list[tuple[Any, ...]]:
        return self.query("select id, month, note from demo.events order by id, note")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._warehouse.rows(sql)


@pytest.fixture
def table(landing: LandingZone, warehouse: Warehouse) -> _Table:
    return _Table(landing, warehouse)


def test_a_new_month_is_loaded_with_its_name(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "a"), _row(2, "01-04", "b"))

    assert table.load(_JANUARY) == Loaded("1.5", 2, skipped=False)
    assert table.rows() == [(1, _JANUARY, "a"), (2, _JANUARY, "b")]


def test_a_row_that_moved_on_is_taken_over_by_its_new_month(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "old"), _row(2, "01-04", "stays"))
    table.load(_JANUARY)
    table.land(_FEBRUARY, _row(1, "02-03", "new"))
    table.load(_FEBRUARY)

    assert table.rows() == [(1, _FEBRUARY, "new"), (2, _JANUARY, "stays")]


def test_loading_an_old_month_again_takes_nothing_from_a_later_one(table: _Table) -> None:
    table.land(_FEBRUARY, _row(1, "02-03", "new"))
    table.load(_FEBRUARY)
    table.land(_JANUARY, _row(1, "01-03", "old"), _row(2, "01-04", "b"))
    table.load(_JANUARY)

    assert table.rows() == [(1, _FEBRUARY, "new"), (2, _JANUARY, "b")]


def test_a_row_that_its_month_no_longer_has_stays(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "moves on, but not yet landed"), _row(2, "01-04", "b"))
    table.load(_JANUARY)
    table.land(_JANUARY, _row(2, "01-04", "b"))
    table.load(_JANUARY)

    assert [row[0] for row in table.rows()] == [1, 2]


def test_an_empty_answer_takes_no_row_away(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "a"))
    table.load(_JANUARY)
    table.land(_JANUARY)

    assert table.load(_JANUARY) == Loaded("2.5", 0, skipped=False)
    assert table.rows() == [(1, _JANUARY, "a")]


def test_of_equal_versions_the_newer_load_wins(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "normal"))
    table.load(_JANUARY)
    table.land(_JANUARY, _row(1, "01-03", "deleted since", deleted=True))
    table.load(_JANUARY)

    assert table.rows() == [(1, _JANUARY, "deleted since")]


def test_within_a_load_deleted_wins_over_spam_and_spam_over_normal(table: _Table) -> None:
    rows = [
        _row(1, "01-03", "normal"),
        _row(1, "01-03", "spam", spam=True),
        _row(1, "01-03", "deleted", deleted=True),
        _row(2, "01-03", "spam", spam=True),
        _row(2, "01-03", "normal"),
        _row(3, "01-03", "deleted", deleted=True),
        _row(3, "01-03", "spam", spam=True),
        _row(4, "01-03", "deleted and spam", deleted=True, spam=True),
        _row(4, "01-03", "deleted", deleted=True),
    ]
    table.land(_JANUARY, *rows)

    assert table.load(_JANUARY).rows == 9
    winners = ["deleted", "spam", "deleted", "deleted and spam"]
    assert table.rows() == [(n, _JANUARY, note) for n, note in enumerate(winners, start=1)]


def test_within_a_load_a_newer_version_wins_over_every_mark(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "deleted", deleted=True), _row(1, "01-04", "restored"))
    table.load(_JANUARY)

    assert table.rows() == [(1, _JANUARY, "restored")]


def test_a_mark_may_be_null(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03", "null", spam=None), _row(1, "01-03", "spam", spam=True))
    table.load(_JANUARY)

    assert table.rows() == [(1, _JANUARY, "spam")]


def test_a_month_that_is_loaded_is_skipped_although_rows_moved_on(table: _Table) -> None:
    table.land(_JANUARY, _row(1, "01-03"), _row(2, "01-04"))
    table.load(_JANUARY)
    table.land(_FEBRUARY, _row(1, "02-03"))
    table.load(_FEBRUARY)

    assert table.load(_JANUARY) == Loaded("1.5", 2, skipped=True)


@pytest.mark.parametrize(
    "harm",
    [
        "delete from demo.events where id = 1",
        "update demo.events set updated_at = updated_at - interval 1 day where id = 1",
        "drop table demo.events",
    ],
)
def test_a_month_whose_rows_were_lost_is_loaded_again(
    table: _Table, warehouse: Warehouse, harm: str
) -> None:
    table.land(_JANUARY, _row(1, "01-03", "a"), _row(2, "01-04", "b"))
    table.load(_JANUARY)
    with warehouse.connect() as connection:
        connection.execute(harm)

    assert not table.load(_JANUARY).skipped
    assert table.rows() == [(1, _JANUARY, "a"), (2, _JANUARY, "b")]


def test_a_discarded_newer_load_gives_way_when_that_is_asked_for(
    table: _Table, landing: LandingZone
) -> None:
    table.land(_JANUARY, _row(1, "01-03", "right"))
    table.land(_JANUARY, _row(1, "01-03", "discarded"))
    table.load(_JANUARY)
    place = place_of(landing, _JANUARY)
    place.delete(place.files_of_load("2.5"))

    with pytest.raises(WarehouseError, match=r"only the older 1\.5"):
        table.load(_JANUARY)
    table.load(_JANUARY, replace_newer_load=True)
    assert table.rows() == [(1, _JANUARY, "right")]


@pytest.mark.parametrize("missing", ["id", "updated_at"])
def test_a_row_without_key_or_version_fails_and_changes_nothing(
    table: _Table, missing: str
) -> None:
    table.land(_JANUARY, _row(1, "01-03", "a"))
    table.load(_JANUARY)
    table.land(_JANUARY, _row(1, "01-05", "newer"), {**_row(2, "01-05", "bad"), missing: None})

    with pytest.raises(WarehouseError, match="1 rows have no id or no updated_at"):
        table.load(_JANUARY)
    assert table.rows() == [(1, _JANUARY, "a")]


def test_new_columns_and_wider_types_reach_rows_of_other_months(table: _Table) -> None:
    table.land(_JANUARY, {**_row(1, "01-03", "a"), "size": 1})
    table.load(_JANUARY)
    table.land(_FEBRUARY, {**_row(2, "02-03", "b"), "size": 1.5, "colour": "red"})
    table.load(_FEBRUARY)

    query = "select id, size, colour from demo.events order by id"
    assert table.query(query) == [(1, 1.0, None), (2, 1.5, "red")]


@pytest.mark.stack
def test_months_that_meet_in_their_rows_can_load_at_once(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    months = [f"2023-{number:02d}" for number in range(1, 7)]
    for number, month in enumerate(months, start=1):
        rows = [_row(row_id, f"{number:02d}-03", month) for row_id in range(200)]
        write_load(place_of(landing, month), f"{number}.5", [rows])

    def load(month: str) -> None:
        with warehouse.connect() as connection:
            load_month(connection, place_of(landing, month), _LOADER)

    threads = [Thread(target=load, args=(month,)) for month in reversed(months)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    query = "select count(*), count(distinct id), min(note), max(month) from demo.events"
    assert warehouse.rows(query) == [(200, 200, "2023-06", "2023-06")]


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: could not serialize access due to concurrent update",
        'ERROR: duplicate key value violates unique constraint "pg_type_typname_nsp_index"',
    ],
)
def test_a_conflict_as_postgresql_reports_it_is_tried_again(
    landing: LandingZone, warehouse: Warehouse, said: str
) -> None:
    write_load(place_of(landing), "1.5", [[_row(1, "01-03", "a")]])
    refusals = [duckdb.Error(said)]

    def refused_once(*arguments: Any) -> int:
        if refusals:
            raise refusals.pop()
        return _LOADER.write(*arguments)

    with warehouse.connect() as connection:
        loader = LoaderOf(refused_once, _LOADER.is_complete)
        assert load_month(connection, place_of(landing), loader).rows == 1


@pytest.mark.stack
def test_a_large_month_is_merged_set_by_set(table: _Table) -> None:
    start = datetime(2023, 1, 1, tzinfo=UTC)
    count = 100_000
    rows = [
        {"id": n, "updated_at": start + timedelta(seconds=n), "spam": False, "deleted": False}
        for n in range(count)
    ]
    table.land(_JANUARY, *rows)
    table.load(_JANUARY)
    table.land(_JANUARY, *(row | {"spam": True} for row in rows))

    assert table.load(_JANUARY) == Loaded("2.5", count, skipped=False)
    assert table.query("select count(*), count(distinct id) from demo.events") == [(count, count)]
