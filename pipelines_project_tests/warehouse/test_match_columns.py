"""A warehouse table is made to fit each new month, and no value is changed by it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.columns import table_name
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.match_columns import match_columns
from pipelines_project.warehouse.versions.shape import Shape
from pipelines_project_tests.landings import ids_ago, land, place_of, write_load

pytestmark = pytest.mark.every_warehouse

REPLACE = ReplaceMonth(("id",))
FIRST, SECOND = "2023-01", "2023-02"

Load = Callable[[str, pa.Table | list[dict[str, Any]]], None]


@pytest.fixture
def connection(warehouse: Warehouse, landing: LandingZone) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.connect() as connected:
        yield connected


@pytest.fixture
def load(connection: duckdb.DuckDBPyConnection, landing: LandingZone) -> Load:
    """Lands rows, or a table of Arrow, as a month and loads them."""

    def land_and_load(month: str, rows: pa.Table | list[dict[str, Any]]) -> None:
        place = place_of(landing, month)
        write_load(place, ids_ago(0)[0], [rows])
        load_month(connection, place, REPLACE)

    return land_and_load


def _values(connection: duckdb.DuckDBPyConnection, column: str = "v") -> list[Any]:
    query = f'select "{column}" from demo.events order by month, id'
    return [value for (value,) in connection.execute(query).fetchall()]


def _type(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    types = {name: kind for name, kind, *_ in connection.execute("describe demo.events").fetchall()}
    return types[column]


NOON = datetime(2023, 1, 1, 12, tzinfo=UTC)


_WIDENED: list[tuple[Any, Any, str | None, list[Any]]] = [
    (7, "007", "VARCHAR", ["7", "007"]),
    ("007", 7, "VARCHAR", ["007", "7"]),
    (2, 1.6, "DOUBLE", [2.0, 1.6]),
    (1.6, 2, "DOUBLE", [1.6, 2.0]),
    (2**53, 0.5, "DOUBLE", [2.0**53, 0.5]),
    (2**53 + 1, 0.5, "VARCHAR", ["9007199254740993", "0.5"]),
    (0.5, 2**53 + 1, "VARCHAR", ["0.5", "9007199254740993"]),
    (NOON, "noon", "VARCHAR", ["2023-01-01 12:00:00+00", "noon"]),
    (True, "yes", "VARCHAR", ["true", "yes"]),
    (Decimal("0.10"), 3, None, [Decimal("0.10"), Decimal(3)]),
    ("[]", [1, "x"], "VARCHAR", ["[]", '[1,"x"]']),
]
"""A value of the first month, one of the second, the type of their column, and both in it."""


@pytest.mark.stack
def test_a_column_of_another_type_is_widened_and_nothing_is_lost(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    for month, value_at in ((FIRST, 0), (SECOND, 1)):
        row = {f"v{at}": each[value_at] for at, each in enumerate(_WIDENED)}
        place = place_of(landing, month)
        land(place, [{"id": 1, **row}])
        load_month(connection, place, REPLACE)

    for at, (before, after, kind, values) in enumerate(_WIDENED):
        assert _values(connection, f"v{at}") == values, (before, after)
        assert kind is None or _type(connection, f"v{at}") == kind, (before, after)


_NO_VALUE = pa.table({"id": [1], "v": pa.array([None], pa.string())})


@pytest.mark.parametrize("rows", [_NO_VALUE, _NO_VALUE.slice(0, 0)], ids=["null", "no rows"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [(7, "BIGINT"), (NOON, "TIMESTAMP WITH TIME ZONE"), (date(2023, 1, 1), "DATE")],
)
@pytest.mark.parametrize("months", [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_month_without_a_value_in_a_column_has_no_say_in_its_type(
    connection: duckdb.DuckDBPyConnection,
    load: Load,
    rows: pa.Table,
    value: Any,
    kind: str,
    months: tuple[str, str],
) -> None:
    empty, full = months
    by_month = {empty: rows, full: pa.table({"id": [1], "v": [value]})}
    for month in (FIRST, SECOND):
        load(month, by_month[month])

    assert _type(connection, "v") == kind
    assert [each for each in _values(connection) if each is not None] == [value]


@pytest.mark.parametrize(
    ("before", "after", "types"),
    [
        (NOON, 5, ("TIMESTAMP WITH TIME ZONE", "BIGINT")),
        (5, NOON, ("BIGINT", "TIMESTAMP WITH TIME ZONE")),
        (date(2023, 1, 1), NOON, ("DATE", "TIMESTAMP WITH TIME ZONE")),
        (True, date(2023, 1, 1), ("BOOLEAN", "DATE")),
    ],
)
def test_types_that_cannot_be_reconciled_are_an_error_and_change_nothing(
    connection: duckdb.DuckDBPyConnection,
    load: Load,
    before: Any,
    after: Any,
    types: tuple[str, str],
) -> None:
    load(FIRST, [{"id": 1, "v": before, "n": 1}])
    shape = connection.execute("describe demo.events").fetchall()

    # The columns around it could be widened and added, and must not be.
    with pytest.raises(WarehouseError) as error:
        load(SECOND, [{"id": 1, "n": "x", "v": after, "z": 1}])

    for part in ("demo/events 2023-02", "column 'v'", *types):
        assert part in str(error.value)
    assert connection.execute("describe demo.events").fetchall() == shape
    assert connection.execute("select month, id, n from demo.events").fetchall() == [(FIRST, 1, 1)]
    assert connection.execute("select month from ledger.loads").fetchall() == [(FIRST,)]


def test_a_new_column_is_added_and_older_rows_have_none_of_it(
    connection: duckdb.DuckDBPyConnection, load: Load
) -> None:
    load(FIRST, [{"id": 1}])
    load(SECOND, [{"id": 1, "v": "x"}])

    assert _values(connection) == [None, "x"]


def test_a_column_that_a_month_lacks_stays_with_its_older_values(
    connection: duckdb.DuckDBPyConnection, load: Load
) -> None:
    load(FIRST, [{"id": 1, "v": "x"}])
    load(SECOND, [{"id": 1}])

    assert _values(connection) == ["x", None]


def test_columns_are_matched_by_name_not_by_place(
    connection: duckdb.DuckDBPyConnection, load: Load
) -> None:
    load(FIRST, pa.table({"id": [1], "a": ["a"], "b": ["b"]}))
    load(SECOND, pa.table({"b": ["b"], "a": ["a"], "id": [1]}))

    assert (_values(connection, "a"), _values(connection, "b")) == (["a", "a"], ["b", "b"])


def test_a_rerun_of_the_only_month_can_widen_and_add_columns_at_once(
    connection: duckdb.DuckDBPyConnection, load: Load
) -> None:
    load(FIRST, [{"id": 1, "v": 1, "w": 1, "x": "x"}])
    load(FIRST, [{"id": "a", "v": 1.5, "w": "w", "y": 1, "z": True}])

    row = connection.execute("select month, id, v, w, x, y, z from demo.events").fetchall()
    assert row == [(FIRST, "a", 1.5, "w", None, 1, True)]


def test_a_months_own_column_of_that_name_becomes_source_month(
    connection: duckdb.DuckDBPyConnection, load: Load
) -> None:
    load(FIRST, [{"id": 1, "month": "May"}])
    load(SECOND, [{"id": 1, "month": 5}])

    assert _values(connection, "month") == [FIRST, SECOND]
    assert _values(connection, "source_month") == ["May", "5"]


def test_source_month_may_be_taken_too(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    load(FIRST, [{"id": 1, "month": "May", "source_month": "June"}])

    assert _values(connection, "month") == [FIRST]
    assert _values(connection, "source_month") == ["June"]
    assert _values(connection, "source_source_month") == ["May"]


@pytest.mark.parametrize("name", ['quo"te', "select", "a b", "it's", "ünï", "$n", "100%", "; --"])
def test_a_column_may_have_any_name(
    connection: duckdb.DuckDBPyConnection, load: Load, name: str
) -> None:
    load(FIRST, pa.table({"id": [1], name: [1]}))
    load(SECOND, pa.table({"id": [1], name: ["x"]}))

    query = "select list(columns(c -> c not in ('id', 'month')) order by month) from demo.events"
    assert connection.execute(query).fetchall() == [(["1", "x"],)]


def test_the_files_of_one_load_may_differ(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(0)[0], [[{"id": 1, "v": 1}], [{"id": 2, "w": "w"}]])
    load_month(connection, place, REPLACE)

    assert (_values(connection), _values(connection, "w")) == ([1, None], [None, "w"])


def test_the_folder_of_the_landing_zone_adds_no_column(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    zone = LandingZone(url=str(tmp_path / "year=2023"))
    place = place_of(zone)
    write_load(place, ids_ago(0)[0])
    with warehouse.connect() as connection:
        load_month(connection, place, REPLACE)

        columns = connection.execute("describe demo.events").fetchall()
    assert [name for name, *_ in columns] == ["month", "id"]


COLUMNS = {
    "BIGINT": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "INTEGER": (st.integers(-(2**31), 2**31 - 1), pa.int32()),
    "UBIGINT": (st.integers(0, 2**64 - 1), pa.uint64()),
    "DOUBLE": (st.floats(allow_nan=False), pa.float64()),
    "FLOAT": (st.floats(allow_nan=False, width=32), pa.float32()),
    "DECIMAL(12,3)": (st.decimals(-(10**8), 10**8, places=3), pa.decimal128(12, 3)),
    "DECIMAL(38,10)": (st.decimals(-(10**25), 10**25, places=10), pa.decimal128(38, 10)),
    "VARCHAR": (st.text(st.characters(codec="utf-8", exclude_characters="\0")), pa.string()),
    "BOOLEAN": (st.booleans(), pa.bool_()),
    "DATE": (st.dates(date(1, 1, 1)), pa.date32()),
    "TIMESTAMP WITH TIME ZONE": (
        st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        pa.timestamp("us", tz="UTC"),
    ),
}


@st.composite
def _months(draw: st.DrawFn) -> tuple[tuple[str, pa.Table], tuple[str, pa.Table]]:
    """Two months of a table whose column `v` has a type of its own in each."""
    months = []
    for _ in range(2):
        name = draw(st.sampled_from(sorted(COLUMNS)))
        values, kind = COLUMNS[name]
        column = draw(st.lists(st.none() | values, max_size=4))
        ids = pa.array(range(len(column)), pa.int64())
        months.append((name, pa.table({"id": ids, "v": pa.array(column, kind)})))
    return months[0], months[1]


def _write_month(zone: LandingZone, month: str, rows: pa.Table) -> tuple[LandedMonth, list[str]]:
    place = place_of(zone, month)
    write_load(place, ids_ago(0)[0], [rows])
    load = zone.month("demo", "events", month).current_files()
    assert load is not None
    return place, load.files


@pytest.mark.stack
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(_months())
def test_every_value_comes_back_from_the_table_in_the_type_it_came_in(
    months: tuple[tuple[str, pa.Table], tuple[str, pa.Table]],
) -> None:
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; attach ':memory:' as warehouse; use warehouse")
        connection.execute("create schema demo")
        zone, loaded = LandingZone(url=folder), []
        for month, (_, rows) in zip((FIRST, SECOND), months, strict=True):
            place, files = _write_month(zone, month, rows)
            try:
                columns = match_columns(connection, place, files, Shape())
            except WarehouseError:
                break
            query = f"insert into {table_name(place)} by name select {columns}, '{month}' as month"
            connection.execute(f"{query} from read_parquet($files)", {"files": files})
            loaded.append(month)

        for month, (kind, rows) in list(zip((FIRST, SECOND), months, strict=True))[: len(loaded)]:
            query = f"select id, cast(v as {kind}) as v from demo.events where month = $month"
            back = connection.execute(f"{query} order by id", {"month": month}).to_arrow_table()
            assert back["v"].to_pylist() == rows["v"].to_pylist()
