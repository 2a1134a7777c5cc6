"""Databases in tests: months landed from them, what is landed then, and why one was refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.month import sql_month
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.database import Warehouse

VARIABLE = "SHOP_URL"
MONTH = "2024-02"
_OWN = ("_dlt_load_id", "_dlt_id")


class PostgresShop:
    """The schema `shop` of a PostgreSQL."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str) -> psycopg.Cursor:
        return self._connection.execute(sql.encode())


def do_not_wait_for_the_disk(server: str) -> None:
    """Let a server forget what it was told if the machine loses power, and be quick."""
    with psycopg.connect(server, autocommit=True) as connection:
        for setting in (b"fsync", b"synchronous_commit", b"full_page_writes"):
            connection.execute(b"alter system set " + setting + b" = off")
        connection.execute(b"select pg_reload_conf()")


def url_of(server: str, name: str) -> str:
    """Return the URL of a database on a server."""
    return server.replace("/postgres?", f"/{name}?")


def emptied_database(server: str, name: str) -> str:
    """Make a database on a server, or remove what it has, and return its URL."""
    url = url_of(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        query = "select 1 from pg_database where datname = %s"
        if not connection.execute(query, [name]).fetchall():
            connection.execute(f"create database {name}".encode())
            return url
    with psycopg.connect(url, autocommit=True) as connection:
        query = "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)'"
        for (schema,) in connection.execute(query).fetchall():
            connection.execute(f"drop schema {quoted(schema)} cascade".encode())
        connection.execute("create schema public")
    return url


def tables_of(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Return schema and name of every table that was made in a warehouse."""
    query = """
        select schema_name, table_name from duckdb_tables()
        where database_name = 'warehouse'
            and schema_name not in ('information_schema', 'pg_catalog')
        order by all
    """
    return [(schema, table) for schema, table in warehouse.rows(query)]


def warehouse_files(warehouse: Warehouse) -> Iterator[bytes]:
    """Yield the content of every file that a warehouse of the tests has its data in."""
    if not warehouse.url.startswith(("postgres", "ducklake")):
        yield Path(warehouse.url).read_bytes()
        return
    if warehouse.data_url:
        yield from (file.read_bytes() for file in Path(warehouse.data_url).rglob("*.parquet"))
    with psycopg.connect(warehouse.url.removeprefix("ducklake:postgres:"), autocommit=True) as db:
        db.execute("checkpoint")
        query = """
            select current_setting('data_directory') || '/' || pg_relation_filepath(oid)
            from pg_class where relfilenode <> 0 and relnamespace <> 'pg_catalog'::regnamespace
        """
        yield from (Path(path).read_bytes() for (path,) in db.execute(query.encode()).fetchall())


def land(zone: LandingZone, month: str = MONTH, **settings: Any) -> LandedMonth:
    """Land a month of the table `orders` from the database that the variable names."""
    of_table = SqlSettings(**{"name": "orders", "connection": VARIABLE, **settings})
    place = zone.month("shop", of_table.name, month)
    land_month(place, lambda month, fetch: sql_month(of_table, month, fetch), accept)
    return place


def landed(zone: LandingZone, month: str = MONTH, **settings: Any) -> pa.Table:
    """Land a month, and return the columns of the database that its files hold then."""
    place = land(zone, month, **settings)
    table = pa.concat_tables([file.read() for file in current_files(place)])
    return table.drop_columns([name for name in table.column_names if name in _OWN])


def current_files(place: LandedMonth) -> list[pq.ParquetFile]:
    """Return the files of the month's current load."""
    load = place.current_files()
    assert load is not None
    return [pq.ParquetFile(path) for path in load.files]


def refusal(zone: LandingZone, month: str = MONTH, **settings: Any) -> SourceError:
    """Fail to land a month, and return why."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        land(zone, month, **settings)
    cause = root_cause(caught.value)
    assert isinstance(cause, SourceError)
    return cause
