"""SQLite: each type arrives exactly, and a value of another type than its column's is refused."""

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.column_origin import origins
from pipelines_project_tests.databases import VARIABLE, landed, refusal

EXACT: list[tuple[str, Any, str, Any]] = [
    ("integer", 2**63 - 1, "int64", 2**63 - 1),
    ("bigint", -(2**63), "int64", -(2**63)),
    ("real", 0.1, "double", 0.1),
    ("double", 1.7976931348623157e308, "double", 1.7976931348623157e308),
    ("decimal(12,2)", 1234567.89, "decimal128(12, 2)", Decimal("1234567.89")),
    ("decimal(20,10)", 0.1234567891, "decimal128(20, 10)", Decimal("0.1234567891")),
    ("numeric", 12.5, "string", "12.5"),
    ("text", "it's é \U0001f600", "string", "it's é \U0001f600"),
    ("varchar(5)", "", "string", ""),
    ("blob", b"\x00\xff", "binary", b"\x00\xff"),
    ("boolean", 1, "bool", True),
    ("date", "2024-02-29", "date32[day]", date(2024, 2, 29)),
    (
        "datetime",
        "2024-02-29 23:59:59.999999",
        "timestamp[us]",
        datetime(2024, 2, 29, 23, 59, 59, 999999),  # noqa: DTZ001
    ),
    ("timestamp", "2024-02-29T12:00:00Z", "timestamp[us]", datetime(2024, 2, 29, 12)),  # noqa: DTZ001
    ("time", "23:59:59", "string", "23:59:59"),
    ("json", '{"b":1,  "a":1.00000000000000000001}', "string", None),
]


def test_every_type_arrives_exactly_also_if_it_is_null(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    columns = ", ".join(f"c{at} {each[0]}" for at, each in enumerate(EXACT))
    shop_file.execute(f"create table orders ({columns})")
    places = ", ".join("?" * len(EXACT))
    shop_file.execute(f"insert into orders values ({places})", [each[1] for each in EXACT])
    shop_file.execute("insert into orders default values")
    table = landed(landing, table="orders")
    for at, (sql_type, value, arrow_type, exact) in enumerate(EXACT):
        said = value if exact is None else exact
        assert str(table.schema.field(f"c{at}").type).removeprefix("large_") == arrow_type, sql_type
        assert table[f"c{at}"].to_pylist() == [said, None], sql_type


def test_a_table_of_nulls_only_has_all_its_columns(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute("create table orders (a decimal(5,1), b json, c blob, d datetime, e date)")
    shop_file.execute("insert into orders default values")
    assert landed(landing, table="orders").to_pylist() == [dict.fromkeys("abcde")]


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [
        ("integer", "12 pieces"),
        ("integer", 1.5),
        ("integer", b"\x01"),
        ("real", "much"),
        ("decimal(5,2)", 1.234),
        ("decimal(5,2)", 1234567),
        ("text", b"\xff"),
        ("blob", "text"),
        ("boolean", 2),
        ("boolean", "yes"),
        ("date", "31.01.2024"),
        ("date", 1706745600),
        ("date", "2024-01-31 10:00:00"),
        ("datetime", 1706745600),
        ("datetime", 2460342.5),
        ("datetime", "2024-02-29 23:59:59.9999999"),
        ("datetime", "0000-00-00 00:00:00"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(
    shop_file: sqlite3.Connection, landing: LandingZone, sql_type: str, value: Any
) -> None:
    shop_file.execute(f"create table orders (id integer, odd {sql_type})")
    shop_file.execute("insert into orders values (1, null), (2, ?)", [value])
    error = str(refusal(landing, table="orders"))
    assert "row 2" in error
    assert "odd" in error
    assert "orders" in error


def test_a_column_without_a_type_has_the_one_that_holds_its_values(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute("create table orders (whole, mixed)")
    shop_file.execute("insert into orders values (1, 1), (2, 'two')")
    table = landed(landing, table="orders")
    assert table.to_pylist() == [{"whole": 1, "mixed": "1"}, {"whole": 2, "mixed": "two"}]


@pytest.mark.parametrize("sql_type", ["datetime", "text"])
def test_a_month_has_the_rows_of_its_first_and_last_instant(
    shop_file: sqlite3.Connection, landing: LandingZone, sql_type: str
) -> None:
    shop_file.execute(f"create table orders (name text, at {sql_type})")
    shop_file.execute(
        "insert into orders values ('before', '2024-01-31 23:59:59.999'), ('day', '2024-02-01'), "
        "('first', '2024-02-01T00:00:00Z'), ('last', '2024-02-29 23:59:59.999999'), "
        "('after', '2024-03-01'), ('later', '2024-03-01 00:00:00'), ('never', null)"
    )
    table = landed(landing, table="orders", month_column="at")
    assert {*table["name"].to_pylist()} == {"day", "first", "last"}


@pytest.mark.parametrize(
    "value", [1706745600, "01.02.2024", "2024-02-01T00:00:00+02:00", "Feb 2024", 2460342.5]
)
def test_a_month_column_whose_values_are_no_iso_texts_is_refused(
    shop_file: sqlite3.Connection, landing: LandingZone, value: Any
) -> None:
    shop_file.execute("create table orders (id integer, at datetime)")
    shop_file.execute("insert into orders values (1, '2024-02-02'), (2, ?)", [value])
    error = str(refusal(landing, table="orders", month_column="at"))
    assert str(value) in error
    assert "month_column" in error


def test_an_integer_month_column_is_refused(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute("create table orders (id integer, at integer)")
    assert "date or timestamp" in str(refusal(landing, table="orders", month_column="at"))


def test_a_month_without_rows_has_the_columns_and_their_types(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute("create table orders (id integer, price decimal(8,2), at datetime)")
    table = landed(landing, table="orders", month_column="at")
    assert len(table) == 0
    assert [str(field.type) for field in table.schema] == [
        "int64",
        "decimal128(8, 2)",
        "timestamp[us]",
    ]


def test_a_query_is_given_the_month(shop_file: sqlite3.Connection, landing: LandingZone) -> None:
    shop_file.execute("create table orders (id integer, at datetime)")
    shop_file.execute("insert into orders values (1, '2024-02-03'), (2, '2024-03-03')")
    query = (
        "-- of :month_start, at 10:30\n"
        "select id, 'at 10:30 100%s' as said from orders "
        "where at >= :month_start and at < :month_end -- one month\n;"
    )
    assert landed(landing, query=query).to_pylist() == [{"id": 1, "said": "at 10:30 100%s"}]
    assert "month_column" in str(refusal(landing, query=query, month_column="at"))


def test_names_that_fall_together_keep_their_values_apart(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute('create table orders ("Col 0 (int)" int, col_0_intx int, _dlt_id int)')
    shop_file.execute("insert into orders values (1, 2, 3)")
    [row] = landed(landing, table="orders").to_pylist()
    assert row["col_0_intx"] == 2
    assert sorted(row.values()) == [1, 2, 3]


def test_names_are_those_of_the_documentation(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute('create table orders (CustomerId int, "@timestamp" int, "Col 0 (int)" int)')
    shop_file.execute("insert into orders values (1, 2, 3)")
    schema = landed(landing, table="orders").schema
    assert origins(schema) == {
        "customer_id": "/CustomerId",
        "atimestamp": "/@timestamp",
        "col_0_intx": "/Col 0 (int)",
    }


def test_what_the_database_does_not_have_is_refused_by_name(
    shop_file: sqlite3.Connection, landing: LandingZone
) -> None:
    shop_file.execute("create table orders (id integer)")
    assert "table order " in str(refusal(landing, table="order"))
    assert "columns" in str(refusal(landing, table="orders", columns=("ident",)))


def test_a_file_that_is_not_there_is_not_made(
    tmp_path: Path, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "none.sqlite"
    monkeypatch.setenv(VARIABLE, f"sqlite:///{file}")
    assert VARIABLE in str(refusal(landing, table="orders"))
    assert not file.exists()
