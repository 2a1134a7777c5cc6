"""The record `ledger.versions`: which versions a warehouse has, and what they made of its tables.

It is written in the transaction that changes the tables. What a table is like is told from it and
not from the files, so that a run of another deployment loads into the tables that there are.
"""

from dataclasses import replace
from typing import NamedTuple

import duckdb

from pipelines_project.names import LEDGER_SCHEMA, source_of_rebuilt
from pipelines_project.warehouse.attachment import Kind, kind_of
from pipelines_project.warehouse.versions.shape import Shape, Shapes, shapes_after
from pipelines_project.warehouse.versions.statements import parse

_VERSIONS = f"{LEDGER_SCHEMA}.versions"


class AppliedVersion(NamedTuple):
    """A version that is recorded: its number, the name, the checksum and the text of its file."""

    number: int
    name: str
    checksum: str
    sql: str


def create_versions(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the record of the versions if it is not there; the ledger must be."""
    connection.execute(f"""
        create table if not exists {_VERSIONS} (
            source varchar, number bigint, name varchar, checksum varchar, sql varchar,
            applied_at timestamp with time zone
        )
    """)


def applied_versions(
    connection: duckdb.DuckDBPyConnection, source: str
) -> dict[int, AppliedVersion]:
    """Return the versions of a source that are recorded, in order."""
    # Every load asks, and to list all columns of a wide table takes ten times as long.
    is_there = """select 1 from duckdb_tables() where database_name = 'warehouse'
                  and schema_name = $schema and table_name = 'versions'"""
    if not connection.execute(is_there, {"schema": LEDGER_SCHEMA}).fetchall():
        return {}
    query = f"""
        select number, name, checksum, sql from {_VERSIONS} where source = $source order by number
    """
    found = connection.execute(query, {"source": source}).fetchall()
    return {version[0]: AppliedVersion(*version) for version in found}


def write_version(
    connection: duckdb.DuckDBPyConnection, source: str, version: AppliedVersion
) -> None:
    """Record that the tables of the source are as the version has made them."""
    connection.execute(
        f"""
        insert into {_VERSIONS} (source, number, name, checksum, sql, applied_at)
        values ($source, $number, $name, $checksum, $sql, now())
        """,
        {"source": source, **version._asdict()},
    )


def shape_of(connection: duckdb.DuckDBPyConnection, source: str, table: str) -> Shape:
    """Return what the versions that are recorded have made of a table.

    Args:
        connection: from `Warehouse.connect`.
        source: the table's schema, or that of the source's tables while they are rebuilt.
        table: its name.
    """
    shape = recorded_shapes(connection, source_of_rebuilt(source)).get(table) or Shape()
    return replace(shape, in_postgres=kind_of(connection) is Kind.POSTGRES)


def recorded_shapes(connection: duckdb.DuckDBPyConnection, source: str) -> Shapes:
    """Return the same of every table of a source that a version names."""
    applied = applied_versions(connection, source).values()
    return shapes_after(change for version in applied for change in parse(version.sql, source))
