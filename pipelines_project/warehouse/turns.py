"""Turns: which transactions of a warehouse with many writers exclude each other.

A DuckDB file has one writer. PostgreSQL, and DuckLake whose catalog is in it, have many, and would
find out at the end that two of them wrote the same rows, or not at all: two that both see no row of
a month both insert it, and a row that comes while its table is copied is lost. So each waits for an
advisory lock of PostgreSQL first, on a connection of its own, and begins when it has it. The locks
end with the connection, however that ends.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.sql_text import literal
from pipelines_project.warehouse.attachment import LAKE_CATALOG, WAREHOUSE


class Turn(NamedTuple):
    """What a transaction needs for itself, or shares with others that do."""

    name: str
    is_shared: bool = False


_ALL = "warehouse"
WHOLE_WAREHOUSE = [Turn(_ALL)]


def of_table(schema: str, table: str) -> list[Turn]:
    """Return the turn of a transaction that needs a table for itself."""
    return [Turn(_ALL, is_shared=True), Turn(f"{schema}.{table}")]


def of_month(place: LandedMonth) -> list[Turn]:
    """Return the turn of one that writes rows of a month, and leaves the table as it is."""
    table = f"{place.source}.{place.table}"
    shared = [Turn(name, is_shared=True) for name in (_ALL, table)]
    return [*shared, Turn(f"{table} {place.month}")]


@contextmanager
def turn(connection: duckdb.DuckDBPyConnection, turns: list[Turn]) -> Generator[None]:
    """Wait for a turn, and keep it until what is inside has committed.

    Args:
        connection: from `Warehouse.connect`, outside a transaction.
        turns: always in the order from the warehouse to the month, so that none waits for another.
    """
    database = _locks_of(connection)
    if database is None:
        yield
        return
    with connection.cursor() as holder:
        holder.begin()
        try:
            # It is idle while the transaction works, and needs no rows to stay as they are.
            _run(holder, database, "set transaction isolation level read committed")
            _run(holder, database, "set local idle_in_transaction_session_timeout = 0")
            for each in turns:
                kind = "_shared" if each.is_shared else ""
                name = literal(f"pipelines_project {each.name}")
                lock = f"select pg_advisory_xact_lock{kind}(hashtextextended({name}, 0))"
                _run(holder, database, lock)
            # What DuckDB knows of the tables may be from before, or was rolled back.
            connection.execute("call pg_clear_cache()")
            yield
        finally:
            holder.rollback()
            connection.execute("call pg_clear_cache()")


def has_turns(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the warehouse has many writers, so that they must take turns."""
    return _locks_of(connection) is not None


def _run(connection: duckdb.DuckDBPyConnection, database: str, statement: str) -> None:
    connection.execute(f"call postgres_execute('{database}', {literal(statement)})")


def _locks_of(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return the PostgreSQL that the warehouse is, or that has its catalog, if any."""
    query = "select database_name from duckdb_databases() where type = 'postgres'"
    names = {name for (name,) in connection.execute(query).fetchall()}
    return next((name for name in (WAREHOUSE, LAKE_CATALOG) if name in names), None)
