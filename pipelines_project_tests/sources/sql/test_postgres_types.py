"""Each type of PostgreSQL arrives exactly, or is refused by the name of its table and column."""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.databases import PostgresShop, landed, refusal

EXACT = [
    ("bool", "true", "bool", True),
    ("smallint", "-32768", "int16", -32768),
    ("integer", "2147483647", "int32", 2147483647),
    ("bigint", "9223372036854775807", "int64", 2**63 - 1),
    ("bigint", "-9223372036854775808", "int64", -(2**63)),
    ("oid", "4294967295", "int64", 2**32 - 1),
    ("real", "0.1", "float", 0.10000000149011612),
    ("float8", "1.7976931348623157e308", "double", 1.7976931348623157e308),
    ("float8", "'-infinity'", "double", -math.inf),
    ("numeric(12,2)", "1234567890.12", "decimal128(12, 2)", Decimal("1234567890.12")),
    (
        "numeric(38,10)",
        "-1234567890123456789012345678.1234567891",
        "decimal128(38, 10)",
        Decimal("-1234567890123456789012345678.1234567891"),
    ),
    ("numeric", "1.10", "string", "1.10"),
    ("numeric", "'NaN'", "string", "NaN"),
    ("numeric", "1234567890123456789012345678901234567890.5", "string", f"{'1234567890' * 4}.5"),
    ("numeric(50,5)", f"1{'0' * 44}", "string", f"1{'0' * 44}.00000"),
    ("numeric(5,-2)", "12345", "string", "12300"),
    ("numeric(2,4)", "0.0012", "string", "0.0012"),
    ("money", "12.34", "string", "12.34"),
    ("text", "'it''s é \U0001f600'", "string", "it's é \U0001f600"),
    ("text", "''", "string", ""),
    ("varchar(5)", "'ab'", "string", "ab"),
    ("char(5)", "'ab'", "string", "ab"),
    ("name", "'n'", "string", "n"),
    ("bytea", r"'\x00ff27'", "binary", b"\x00\xff'"),
    ("date", "'2024-02-29'", "date32[day]", date(2024, 2, 29)),
    ("date", "'9999-12-31'", "date32[day]", date.max),
    ("time", "'23:59:59.999999'", "time64[us]", time.max),
    ("timetz", "'23:59:59.999999+05'", "string", "23:59:59.999999+05"),
    (
        "timestamp",
        "'2024-02-29 23:59:59.999999'",
        "timestamp[us]",
        datetime(2024, 2, 29, 23, 59, 59, 999999),  # noqa: DTZ001
    ),
    (
        "timestamptz",
        "'2024-03-01 00:30:00.000001+05:30'",
        "timestamp[us, tz=UTC]",
        datetime(2024, 2, 29, 19, 0, 0, 1, UTC),
    ),
    ("interval", "'1 year 2 mons -3 days 04:05:06.789'", "string", "P1Y2M-3DT4H5M6.789S"),
    ("json", """'{"b":1,  "a":1.00000000000000000001}'""", "string", None),
    ("jsonb", """'{"a":[1,null,{"b":"x"}]}'""", "string", '{"a": [1, null, {"b": "x"}]}'),
    ("jsonb", "'null'", "string", "null"),
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "string", None),
    ("bigint[]", "'{1,NULL,9223372036854775807}'", "string", "[1,null,9223372036854775807]"),
    ("int[]", "'{{1,2},{3,4}}'", "string", "[[1,2],[3,4]]"),
    ("numeric[]", "'{1.10,NaN}'", "string", '[1.10,"NaN"]'),
    ("text[]", """'{"a,b",NULL,"NULL"}'""", "string", '["a,b",null,"NULL"]'),
    ("timestamptz[]", "'{2024-01-01 00:00+02}'", "string", '["2023-12-31T22:00:00+00:00"]'),
    ("mood", "'sad'", "string", "sad"),
    ("mood[]", "'{sad,ok}'", "string", '["sad","ok"]'),
    # A type of one's own, called as one of PostgreSQL's.
    ('shop."int8"', "'sad'", "string", "sad"),
    ("positive", "5", "int32", 5),
    ("price", "1.50", "decimal128(8, 2)", Decimal("1.50")),
    ("pair", """'(1,"a b")'""", "string", '{"a":1,"b":"a b"}'),
    ("inet", "'10.0.0.1/8'", "string", "10.0.0.1/8"),
    ("bit(3)", "B'101'", "string", "101"),
    ("point", "'(1,2)'", "string", "(1,2)"),
    ("int4range", "'[1,5)'", "string", "[1,5)"),
    ("tsvector", "'a b'", "string", "'a' 'b'"),
]


@pytest.fixture
def types(shop: PostgresShop) -> PostgresShop:
    """A connection to a schema with types of one's own."""
    shop.execute("create type mood as enum ('sad', 'ok')")
    shop.execute("create type shop.int8 as enum ('sad', 'ok')")
    shop.execute("create type pair as (a int, b text)")
    shop.execute("create domain positive as int check (value > 0)")
    shop.execute("create domain price as numeric(8,2)")
    return shop


def test_every_type_arrives_exactly_also_if_it_is_null(
    types: PostgresShop, landing: LandingZone
) -> None:
    columns = ", ".join(f"c{at} {each[0]}" for at, each in enumerate(EXACT))
    values = ", ".join(each[1] for each in EXACT)
    types.execute(f"create table orders ({columns})")
    types.execute(f"insert into orders values ({values})")
    types.execute("insert into orders default values")
    table = landed(landing, table="shop.orders")
    for at, (sql_type, value, arrow_type, exact) in enumerate(EXACT):
        said = exact if exact is not None else value.strip("'")
        assert str(table.schema.field(f"c{at}").type).removeprefix("large_") == arrow_type, sql_type
        assert table[f"c{at}"].to_pylist() == [said, None], sql_type


def test_a_table_of_nulls_only_has_all_its_columns(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute("create table orders (a numeric(5,1), b jsonb, c int[], d interval, e timestamp)")
    shop.execute("insert into orders default values")
    table = landed(landing, table="shop.orders")
    assert table.to_pylist() == [dict.fromkeys("abcde")]
    assert str(table.schema.field("a").type) == "decimal128(5, 1)"


@pytest.mark.parametrize(
    ("sql_type", "value", "said"),
    [
        ("numeric(5,2)", "'NaN'", "NaN"),
        ("date", "'infinity'", "infinite"),
        ("date", "'0044-03-15 BC'", "1 to 9999"),
        ("date", "'10000-01-01'", "1 to 9999"),
        ("timestamp", "'-infinity'", "infinite"),
        ("timestamp", "'294276-12-31 23:59:59.999999'", "1 to 9999"),
        ("timestamptz", "'infinity'", "infinite"),
        ("timestamptz", "'4713-01-01 00:00 BC'", "1 to 9999"),
        ("time", "'24:00'", "24:00"),
    ],
)
def test_what_has_no_exact_form_is_refused_by_name(
    shop: PostgresShop, landing: LandingZone, sql_type: str, value: str, said: str
) -> None:
    shop.execute(f"create table orders (id int, odd {sql_type})")
    shop.execute("insert into orders select generate_series(1, 5000), null")
    shop.execute(f"insert into orders values (1, {value})")
    error = str(refusal(landing, table="shop.orders"))
    assert "shop.orders" in error
    assert "column odd" in error
    assert said in error
    shop.execute("update orders set odd = null")
    assert len(landed(landing, table="shop.orders")) == 5001


@pytest.mark.parametrize("column", ['"@timestamp"', '"Col 0 (int)"', '"a""b\'c"', '"%s :x"'])
def test_a_name_is_read_as_it_is_spelled(
    shop: PostgresShop, landing: LandingZone, column: str
) -> None:
    shop.execute(f"create table orders (id int, {column} numeric(3,1))")
    shop.execute("insert into orders values (1, 2.5)")
    table = landed(landing, table="shop.orders")
    [values] = [table[name].to_pylist() for name in table.column_names if name != "id"]
    assert values == [Decimal("2.5")]
