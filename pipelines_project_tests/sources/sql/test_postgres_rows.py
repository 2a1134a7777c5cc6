"""A month of a PostgreSQL table: which rows, under which names, and what is refused."""

import os
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from dlt.common.normalizers.naming.snake_case import NamingConvention as SnakeCase
from dlt.extract import DltResource

from pipelines_project.landing.causes import is_passing_fault
from pipelines_project.landing.look import look
from pipelines_project.landing.zone import LandingZone
from pipelines_project.memory import MEMORY_SETTING
from pipelines_project.sources.column_origin import origins
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.sql.connection import DatabaseAwayError
from pipelines_project.sources.sql.month import sql_month
from pipelines_project.sources.sql.postgres_rows import postgres_file
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project_tests.databases import (
    MONTH,
    VARIABLE,
    PostgresShop,
    current_files,
    land,
    landed,
    refusal,
)

EDGES = (
    "('before', '2024-01-31 23:59:59.999999+00'), ('first', '2024-02-01 00:00+00'), "
    "('last', '2024-02-29 23:59:59.999999+00'), ('after', '2024-03-01 00:00+00'), ('never', null)"
)


@pytest.mark.parametrize("sql_type", ["timestamptz", "timestamp"])
def test_a_month_begins_and_ends_in_utc_whatever_the_zone_of_the_server(
    shop: PostgresShop, landing: LandingZone, sql_type: str
) -> None:
    shop.execute("set timezone = 'UTC'")
    shop.execute(f"create table orders (name text, at {sql_type})")
    shop.execute(f"insert into orders values {EDGES}")
    shop.execute("alter role postgres set timezone = 'America/New_York'")
    try:
        table = landed(landing, table="shop.orders", month_column="at")
    finally:
        shop.execute("alter role postgres reset timezone")
    assert {*table["name"].to_pylist()} == {"first", "last"}


def test_a_month_of_dates_has_its_first_and_its_last_day(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute("create table orders (day date)")
    shop.execute("insert into orders select '2024-01-20'::date + g from generate_series(0, 60) g")
    days: list[Any] = landed(landing, table="shop.orders", month_column="day")["day"].to_pylist()
    assert (min(days).isoformat(), max(days).isoformat(), len(days)) == (
        "2024-02-01",
        "2024-02-29",
        29,
    )


def test_a_month_without_rows_has_the_columns_and_their_types(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute("create table orders (id int, price numeric(8,2), at timestamp, tags text[])")
    table = landed(landing, table="shop.orders", month_column="at")
    assert len(table) == 0
    types = {field.name: str(field.type) for field in table.schema}
    assert types["id"] == "int32"
    assert types["price"] == "decimal128(8, 2)"
    assert types["at"] == "timestamp[us]"
    assert "string" in types["tags"]


def test_a_query_is_given_the_month(shop: PostgresShop, landing: LandingZone) -> None:
    shop.execute("create table orders (id int, at timestamptz)")
    shop.execute("insert into orders values (1, '2024-02-03'), (2, '2024-03-03')")
    query = (
        "-- of :month_start, at 10:30\n"
        "select id, id::text || ' 10:30 100%s' as said, 'it''s' as more\n"
        "from shop.orders where at >= :month_start and at < :month_end -- one month\n;"
    )
    table = landed(landing, query=query)
    assert table.to_pylist() == [{"id": 1, "said": "1 10:30 100%s", "more": "it's"}]


def test_options_of_the_url_are_kept(
    postgres: str, shop: PostgresShop, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.execute("create table orders (took interval)")
    shop.execute("insert into orders values ('90 minutes')")
    options = "options=-csearch_path%3Dshop%20-cintervalstyle%3Dpostgres&connect_timeout=5"
    monkeypatch.setenv(VARIABLE, f"{postgres}&{options}")
    assert landed(landing, table="orders").to_pylist() == [{"took": "PT1H30M"}]


def test_a_query_can_convert_seconds_to_the_month(shop: PostgresShop, landing: LandingZone) -> None:
    shop.execute("create table orders (id int, total numeric, created bigint)")
    shop.execute(
        "insert into orders select g, g / 4.0, extract(epoch from timestamptz '2024-02-01 00:00Z')"
        " + case g when 1 then -1 when 2 then 0 when 3 then 29 * 86400 - 1 else 29 * 86400 end "
        "from generate_series(1, 4) g"
    )
    query = (
        "select id, total::numeric(12, 2) as total, to_timestamp(created) as created_at from "
        "shop.orders where created >= extract(epoch from timestamptz :month_start) "
        "and created < extract(epoch from timestamptz :month_end)"
    )
    table = landed(landing, query=query)
    assert table["id"].to_pylist() == [2, 3]
    assert table["total"].to_pylist() == [Decimal("0.50"), Decimal("0.75")]
    assert str(table.schema.field("created_at").type) == "timestamp[us, tz=UTC]"


def test_names_that_fall_together_keep_their_values_apart(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute('create table orders ("Total" int, total int, "TOTAL" int, _dlt_id int)')
    shop.execute("insert into orders values (1, 2, 3, 4)")
    table = landed(landing, table="shop.orders")
    [row] = table.to_pylist()
    assert row["total"] == 2
    [other] = [name for name, where in origins(table.schema).items() if where == "/Total"]
    assert row[other] == 1
    assert sorted(row.values()) == [1, 2, 3, 4]


def test_only_the_chosen_columns_are_read(shop: PostgresShop, landing: LandingZone) -> None:
    shop.execute("create table orders (id int, price int, secret text, at date)")
    read = landed(landing, table="shop.orders", columns=("id", "price"), month_column="at")
    assert read.column_names == ["id", "price"]
    read = landed(landing, table="shop.orders", exclude=("secret", "at"), month_column="at")
    assert read.column_names == ["id", "price"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": "shop.order"}, "shop.order"),
        ({"table": "nowhere.orders"}, "nowhere.orders"),
        ({"table": "shop.orders", "month_column": "creatd_at"}, "month_column"),
        ({"table": "shop.orders", "key": ("ident",)}, "key"),
        ({"table": "shop.orders", "columns": ("id", "prize")}, "columns"),
        ({"table": "shop.orders", "exclude": ("prize",)}, "exclude"),
        ({"table": "shop.orders", "columns": ("price",), "key": ("id",)}, "key"),
        ({"table": "shop.orders", "month_column": "id"}, "date or timestamp"),
        ({"query": "select 1 as id, 2 as id"}, "as"),
        ({"query": "select * form shop.orders"}, "syntax error"),
        ({"query": "select nothing(id) as x from shop.orders"}, "correct `table`, `query`"),
        ({"query": "select 1 / (id - 7) as x from shop.orders"}, "division by zero"),
    ],
)
def test_what_the_database_does_not_have_is_refused_by_name(
    shop: PostgresShop, landing: LandingZone, settings: dict[str, Any], said: str
) -> None:
    shop.execute("create table orders (id int, price int, created_at date)")
    shop.execute("insert into orders values (7, 1, '2024-02-01')")
    error = str(refusal(landing, **settings))
    assert said in error
    assert VARIABLE in error


def test_a_column_that_was_renamed_fails_the_month_and_says_what_there_is(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute("create table orders (id int, created_at date)")
    shop.execute("insert into orders values (1, '2024-02-01')")
    assert len(landed(landing, table="shop.orders", key=("id",), month_column="created_at")) == 1
    shop.execute("alter table orders rename created_at to created_on")
    error = str(refusal(landing, table="shop.orders", key=("id",), month_column="created_at"))
    assert "no column 'created_at'" in error
    assert "'created_on'" in error


@pytest.mark.stack
def test_a_month_is_one_state_of_the_table(shop: PostgresShop, landing: LandingZone) -> None:
    shop.execute("create table orders (id int, version int, filler text)")
    filler = "repeat(md5(g::text), 20)"
    rows = f"insert into orders select g, 0, {filler} from generate_series(1, 20000) g"
    shop.execute(rows)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            shop.execute("update orders set version = version + 1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        tables = [landed(landing, table="shop.orders") for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert [len(set(table["version"].to_pylist())) for table in tables] == [1, 1, 1]
    assert [len(table) for table in tables] == [20000] * 3


def test_a_lost_connection_may_pass(shop: PostgresShop, landing: LandingZone) -> None:
    shop.execute("create table orders (id int)")
    shop.execute("insert into orders values (1)")
    query = "select pg_terminate_backend(pg_backend_pid()) as ended from shop.orders"
    error = refusal(landing, query=query)
    assert isinstance(error, DatabaseAwayError)
    assert is_passing_fault(error)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("expression", "said", "passes"),
    [
        ("1 / (150000 - g)", "division by zero", False),
        ("case when g = 150000 then pg_terminate_backend(pg_backend_pid()) end", "lost", True),
        ("case when g = 150000 then pg_sleep(20) end::text", "timeout_minutes", False),
        (
            "(case when g = 150000 then 'NaN' else g::numeric end)::numeric(9,1)",
            "x holds NaN",
            False,
        ),
    ],
)
def test_what_fails_when_rows_have_come_already_is_explained_too(
    shop: PostgresShop, landing: LandingZone, expression: str, said: str, passes: bool
) -> None:
    query = f"select {expression} as x, repeat('x', 100) as y from generate_series(1, 200000) g"
    error = refusal(landing, query=query, timeout_minutes=0.05)
    assert said in str(error)
    assert is_passing_fault(error) == passes
    assert landing.month("shop", "orders", MONTH).current_files() is None


def test_a_statement_takes_no_longer_than_its_timeout(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute("create table orders (id int)")
    shop.execute("insert into orders values (1)")
    query = "select pg_sleep(20)::text as slept from shop.orders"
    error = refusal(landing, query=query, timeout_minutes=0.002)
    assert "timeout_minutes" in str(error)
    assert not is_passing_fault(error)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("width", "chunk_rows", "groups"),
    [
        (10, 3000, [4096, 4096, 1808]),
        # Fewer than chunk_rows where they are very wide.
        (20_000, 100_000, [4096, 4096, 1808]),
    ],
)
def test_no_more_rows_are_held_than_chunk_rows_and_a_vector_of_duckdb(
    shop: PostgresShop, landing: LandingZone, width: int, chunk_rows: int, groups: list[int]
) -> None:
    shop.execute("create table orders (id int, note text)")
    shop.execute(
        f"insert into orders select g, repeat('x', {width}) from generate_series(1, 10000) g"
    )
    [file] = current_files(land(landing, table="shop.orders", chunk_rows=chunk_rows))
    metadata = file.metadata
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == groups


def test_a_look_reads_no_more_rows_than_it_shows(shop: PostgresShop, landing: LandingZone) -> None:
    shop.execute("create table orders (id int, uid uuid)")
    shop.execute("insert into orders select g, gen_random_uuid() from generate_series(1, 5000) g")
    settings = SqlSettings("orders", VARIABLE, query="select 1 / (4 - id) as x from shop.orders")

    def extract(month: str, fetch: Fetch) -> DltResource:
        return sql_month(settings, month, fetch)

    # The fourth row would divide by zero.
    found = look(landing.month("shop", "orders", MONTH), extract, 3)
    assert found.rows.to_pylist() == [{"x": 0}, {"x": 0}, {"x": 1}]
    assert [(each.name, each.type, each.origin) for each in found.columns] == [
        ("x", "bigint", "/x")
    ]


def test_a_file_that_cannot_be_written_is_no_fault_of_the_database(
    postgres: str, shop: PostgresShop, tmp_path: Path
) -> None:
    shop.execute("create table orders (id int)")
    settings = SqlSettings("orders", VARIABLE, "shop.orders")
    path = tmp_path / "nowhere" / "rows.parquet"
    with pytest.raises(duckdb.IOException, match=r"rows\.parquet"):
        postgres_file(settings, sa.make_url(postgres), MONTH, SnakeCase(), "1", path)


def test_rows_that_memory_does_not_hold_name_the_setting(
    shop: PostgresShop, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY_SETTING, "20MB")
    # DuckDB is kept for a process.
    monkeypatch.setattr(os, "getpid", lambda: -1)
    query = "select repeat(md5(g::text), 1000) as doc from generate_series(1, 2048) g"
    error = str(refusal(landing, query=query))
    assert "query of orders" in error
    assert f"raise {MEMORY_SETTING} (now 20MB)" in error


@pytest.mark.stack
def test_a_partitioned_table_and_a_view_are_read_like_a_table(
    shop: PostgresShop, landing: LandingZone
) -> None:
    shop.execute("create table orders (id int, at timestamptz) partition by range (at)")
    shop.execute("create table early partition of orders for values from (minvalue) to (maxvalue)")
    shop.execute("create view seen as select * from orders")
    shop.execute("insert into orders values (1, '2024-02-05 00:00+00')")
    at = datetime(2024, 2, 5, tzinfo=UTC)
    for name in ("orders", "seen"):
        table = landed(landing, table=f"shop.{name}", month_column="at")
        assert (table["id"].to_pylist(), table["at"].to_pylist()) == ([1], [at])


def test_rights_that_are_missing_are_named(
    postgres: str, shop: PostgresShop, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.execute("create table orders (id int)")
    shop.execute("create role reader login")
    try:
        monkeypatch.setenv(VARIABLE, postgres.replace("postgres:@", "reader:@"))
        error = str(refusal(landing, table="shop.orders"))
    finally:
        shop.execute("drop role reader")
    assert "permission denied" in error
    assert "shop.orders" in error
