"""The history of a table: every version of a row, and when it held, whatever is loaded when."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import UnfitMonthError, Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable
from pipelines_project.warehouse.versions.apply_versions import apply_versions
from pipelines_project.warehouse.versions.files import read_versions
from pipelines_project_tests.databases import tables_of
from pipelines_project_tests.landings import place_of, write_load

pytestmark = pytest.mark.every_warehouse

WHOLE = History(("id",), whole_months=True)
PARTS = History(("id",))

Rows = list[dict[str, Any]]


class _Table:
    """One table of a landing zone and a warehouse, landed and loaded month by month."""

    def __init__(self, landing: LandingZone, warehouse: Warehouse) -> None:
        self._landing, self.warehouse, self._loads = landing, warehouse, 0

    def land(self, month: str, *rows: dict[str, Any]) -> None:
        self._loads += 1
        write_load(place_of(self._landing, month), f"{self._loads}.5", [rows or _NO_ROWS])

    def load(self, month: str, loader: History = WHOLE) -> Loaded:
        with self.warehouse.connect() as connection:
            return load_month(connection, place_of(self._landing, month), loader)

    def put(self, month: str, *rows: dict[str, Any], loader: History = WHOLE) -> None:
        self.land(month, *rows)
        assert self.load(month, loader).rows == len(rows)

    def versions(self) -> list[tuple[Any, ...]]:
        return self.warehouse.rows("""
            select id, name, strftime(valid_from, '%m-%d'), strftime(valid_to, '%m-%d'), is_current
            from demo.events order by id, valid_from
        """)


_NO_ROWS = pa.table({"id": [0], "name": [""]})[:0]


@pytest.fixture
def table(landing: LandingZone, warehouse: Warehouse) -> _Table:
    return _Table(landing, warehouse)


def _row(row_id: int, name: str) -> dict[str, Any]:
    return {"id": row_id, "name": name}


@pytest.mark.stack
def test_a_row_that_changes_has_two_versions_that_meet(table: _Table) -> None:
    table.put("2024-01", _row(1, "a"), _row(2, "same"))
    table.put("2024-03", _row(1, "b"), _row(2, "same"))

    assert table.versions() == [
        (1, "a", "01-01", "03-01", False),
        (1, "b", "03-01", None, True),
        (2, "same", "01-01", None, True),
    ]


@pytest.mark.stack
def test_a_row_that_a_snapshot_lacks_is_closed_and_opened_again_when_it_is_back(
    table: _Table,
) -> None:
    table.put("2024-01", _row(1, "a"))
    table.put("2024-02")
    table.put("2024-04", _row(1, "a"))

    assert table.versions() == [
        (1, "a", "01-01", "02-01", False),
        (1, "a", "04-01", None, True),
    ]


@pytest.mark.stack
def test_what_held_at_a_months_start_is_what_the_month_states(table: _Table) -> None:
    months = {"2024-01": "ab", "2024-02": "b", "2024-03": "cb"}
    for month, names in months.items():
        table.put(month, *(_row(ord(name), name) for name in names))

    for month, names in months.items():
        held = table.warehouse.rows(
            """select string_agg(name, '' order by name) from demo.events
               where valid_from <= $at and (valid_to > $at or valid_to is null)""",
            {"at": datetime.fromisoformat(f"{month}-01T00:00:00Z")},
        )
        assert held == [("".join(sorted(names)),)]


@pytest.mark.stack
@pytest.mark.parametrize("order", [*permutations(["2024-01", "2024-02", "2024-03"])])
def test_the_order_in_which_months_are_loaded_does_not_matter(
    table: _Table, order: tuple[str, ...]
) -> None:
    table.land("2024-01", _row(1, "a"), _row(2, "a"))
    table.land("2024-02", _row(1, "b"))
    table.land("2024-03", _row(1, "a"), _row(2, "a"))

    for month in order:
        table.load(month)

    assert table.versions() == [
        (1, "a", "01-01", "02-01", False),
        (1, "b", "02-01", "03-01", False),
        (1, "a", "03-01", None, True),
        (2, "a", "01-01", "02-01", False),
        (2, "a", "03-01", None, True),
    ]
    assert all(table.load(month).skipped for month in order)


@pytest.mark.stack
def test_a_month_that_is_landed_again_splits_a_version_or_joins_two(table: _Table) -> None:
    for month in ("2024-01", "2024-02", "2024-03"):
        table.put(month, _row(1, "a"))
    table.put("2024-02", _row(1, "b"))
    assert [row[1:4] for row in table.versions()] == [
        ("a", "01-01", "02-01"),
        ("b", "02-01", "03-01"),
        ("a", "03-01", None),
    ]

    table.put("2024-02", _row(1, "a"))

    assert table.versions() == [(1, "a", "01-01", None, True)]


def test_a_month_of_parts_leaves_the_rows_of_others_alone(table: _Table) -> None:
    table.put("2024-01", _row(1, "a"), _row(2, "a"), loader=PARTS)
    table.put("2024-03", _row(1, "b"), loader=PARTS)

    assert table.versions() == [
        (1, "a", "01-01", "03-01", False),
        (1, "b", "03-01", None, True),
        (2, "a", "01-01", None, True),
    ]


@pytest.mark.stack
def test_a_row_that_its_month_no_longer_has_gives_way_to_the_version_before(table: _Table) -> None:
    table.put("2024-01", _row(1, "a"), loader=PARTS)
    table.put("2024-02", _row(1, "b"), _row(2, "b"), loader=PARTS)
    table.put("2024-02", _row(3, "c"), loader=PARTS)

    assert table.versions() == [
        (1, "a", "01-01", None, True),
        (3, "c", "02-01", None, True),
    ]


@pytest.mark.stack
@pytest.mark.parametrize("kind", [lambda moment: moment, lambda moment: moment.date()])
def test_a_version_column_says_since_when_a_row_is_as_it_is(
    table: _Table, kind: Callable[[datetime], datetime | date]
) -> None:
    loader = History(("id",), whole_months=True, version_column="changed")

    def row(name: str, day: str) -> dict[str, Any]:
        return {**_row(1, name), "changed": kind(datetime.fromisoformat(day).replace(tzinfo=UTC))}

    table.put("2024-01", row("a", "2023-05-07"), loader=loader)
    table.put("2024-02", row("b", "2024-02-20"), loader=loader)
    table.put("2024-03", loader=loader)
    table.put("2024-06", row("b", "2024-02-20"), loader=loader)

    assert table.versions() == [
        (1, "a", "05-07", "02-20", False),
        (1, "b", "02-20", "03-01", False),
        # It was not there in March, whatever it says.
        (1, "b", "06-01", None, True),
    ]


@pytest.mark.stack
def test_a_version_that_says_it_is_older_than_the_one_before_begins_with_it(table: _Table) -> None:
    loader = History(("id",), version_column="changed")
    for month, day in (("2024-01", 20), ("2024-02", 10)):
        table.put(
            month,
            {**_row(1, month), "changed": datetime(2024, 1, day, tzinfo=UTC)},
            loader=loader,
        )

    assert sorted(table.versions()) == [
        (1, "2024-01", "01-20", "01-20", False),
        (1, "2024-02", "01-20", None, True),
    ]


@pytest.mark.stack
def test_new_columns_without_a_value_and_wider_numbers_make_no_version(table: _Table) -> None:
    table.put("2024-01", {"id": 1, "name": "a", "size": 1})
    table.put("2024-02", {"id": 1, "name": "a", "size": 1.0, "colour": None})
    assert len(table.versions()) == 1

    table.put("2024-03", {"id": 1, "name": "a", "size": 1.5, "colour": "red"})

    query = "select size, colour from demo.events order by valid_from"
    assert table.warehouse.rows(query) == [(1.0, None), (1.5, "red")]


def test_a_key_of_several_columns_of_any_name_tells_rows_apart(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    loader = History(('quo"te', "source_month"), whole_months=True)
    for number, month in enumerate(("2024-01", "2024-02")):
        rows = [{'quo"te': 1, "month": "x", "v": number}, {'quo"te': 1, "month": "y", "v": 0}]
        write_load(place_of(landing, month), f"{number}.5", [rows])
        with warehouse.connect() as connection:
            load_month(connection, place_of(landing, month), loader)

    query = "select source_month, v, month, until_month from demo.events order by all"
    assert warehouse.rows(query) == [
        ("x", 0, "2024-01", "2024-02"),
        ("x", 1, "2024-02", None),
        ("y", 0, "2024-01", None),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([_row(1, "a"), _row(1, "b")], r"rows with the same \('id',\), for example \[\(1,\)\]"),
        ([{"id": None, "name": "a"}, _row(1, "b")], r'rows without one of "id"'),
        ([{"name": "a"}], r'rows without one of "id"'),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused_and_the_old_ones_stay(
    table: _Table, rows: Rows, said: str
) -> None:
    table.put("2024-01", _row(1, "a"))
    before = table.versions()
    table.land("2024-02", *rows)

    with pytest.raises(UnfitMonthError, match=f"2024-02: .*{said}"):
        table.load("2024-02")
    assert table.versions() == before


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("changed", "there is no column 'changed'"),
        ("name", "'name' is VARCHAR, and must be a time or a date"),
        ("at", 'rows without one of "id", "at"'),
    ],
)
def test_a_version_column_that_says_no_time_is_refused(
    table: _Table, column: str, said: str
) -> None:
    now = datetime(2024, 1, 2, tzinfo=UTC)
    table.land("2024-01", {**_row(1, "a"), "at": now}, {**_row(2, "b"), "at": None})

    with pytest.raises(UnfitMonthError, match=said):
        table.load("2024-01", History(("id",), version_column=column))
    assert ("demo", "events") not in tables_of(table.warehouse)


def test_columns_of_the_history_itself_are_refused(table: _Table) -> None:
    table.land("2024-01", {**_row(1, "a"), "valid_from": 1})

    with pytest.raises(UnfitMonthError, match=r"landed rows have \['valid_from'\]"):
        table.load("2024-01")


@pytest.mark.stack
def test_a_month_without_rows_may_be_the_first_and_have_no_columns(
    table: _Table, landing: LandingZone
) -> None:
    write_load(place_of(landing, "2024-01"), "1.5", [pa.table({"other": [1]})[:0]])
    assert table.load("2024-01").rows == 0
    assert table.load("2024-01").skipped

    table.put("2024-02", _row(1, "a"))

    assert table.versions() == [(1, "a", "02-01", None, True)]


def test_a_table_that_was_loaded_without_history_is_refused(
    table: _Table, landing: LandingZone, warehouse: Warehouse
) -> None:
    table.land("2024-01", _row(1, "a"))
    with warehouse.connect() as connection:
        load_month(connection, place_of(landing, "2024-01"), ReplaceMonth(("id",)))
    table.land("2024-02", _row(1, "a"))

    for month in ("2024-01", "2024-02"):
        with pytest.raises(WarehouseError, match=r"without history.* demo_rebuild_warehouse"):
            table.load(month)


@pytest.mark.stack
@pytest.mark.parametrize("loader", [ReplaceMonth(("id",)), ReplaceTable(("id",))])
@pytest.mark.parametrize("month", ["2024-01", "2024-02", "2024-03"])
def test_a_table_with_versions_is_not_replaced_by_one_without(
    table: _Table, landing: LandingZone, warehouse: Warehouse, loader: Loader, month: str
) -> None:
    table.put("2024-01", _row(1, "a"))
    table.put("2024-02", _row(1, "b"))
    table.land("2024-03", _row(1, "c"))
    before = table.versions()

    with (
        warehouse.connect() as connection,
        pytest.raises(WarehouseError, match=r"would throw them away: .* demo_rebuild_warehouse"),
    ):
        load_month(connection, place_of(landing, month), loader)
    assert table.versions() == before


@pytest.mark.stack
def test_a_key_and_a_version_column_go_on_by_their_new_names(table: _Table, tmp_path: Path) -> None:
    loader = History(("id",), whole_months=True, version_column="changed")

    def row(month: str) -> dict[str, Any]:
        return {"id": 1, "name": "a", "size": month, "changed": datetime(2024, 1, 2, tzinfo=UTC)}

    table.put("2024-01", row("2024-01"), loader=loader)
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "001_rename.sql").write_text(
        "alter table demo.events rename column id to number;"
        "alter table demo.events rename column changed to since;"
        "alter table demo.events drop column size"
    )
    with table.warehouse.connect() as connection:
        apply_versions(connection, "demo", read_versions(tmp_path / "versions", "demo"))
    table.put("2024-02", row("2024-02"), loader=loader)
    table.land("2024-01", row("again"))
    table.load("2024-01", loader)

    query = "select number, strftime(since, '%m-%d'), month, until_month from demo.events"
    # What tells versions apart is what was landed, so a dropped column tells them apart too.
    assert table.warehouse.rows(f"{query} order by month") == [
        (1, "01-02", "2024-01", "2024-02"),
        (1, "01-02", "2024-02", None),
    ]


@pytest.mark.stack
@pytest.mark.parametrize("harm", ["delete from demo.events where id = 1", "drop table demo.events"])
def test_months_whose_rows_were_lost_are_loaded_again(
    table: _Table, warehouse: Warehouse, harm: str
) -> None:
    table.put("2024-01", _row(1, "a"), _row(2, "a"))
    table.put("2024-02", _row(1, "b"), _row(2, "a"))
    before = table.versions()
    with warehouse.connect() as connection:
        connection.execute(harm)

    assert not any([table.load(month).skipped for month in ("2024-02", "2024-01")])
    assert table.versions() == before
