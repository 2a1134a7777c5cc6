"""Writing a warehouse table anew, in the transaction that is open, and making its indexes again."""

import duckdb

from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.versions.shape import Shape


def rewrite(connection: duckdb.DuckDBPyConnection, schema: str, table: str, rows: str) -> None:
    """Put a new table, which has no index, in a table's place.

    Args:
        connection: in a transaction.
        schema: the table's.
        table: its name.
        rows: the SQL of the rows that it is to have, which may be its own.
    """
    name, new = qualified(schema, table), qualified(schema, f"{table}__new")
    connection.execute(f"create table {new} as from {rows}")
    connection.execute(f"drop table if exists {name}")
    connection.execute(f"alter table {new} rename to {quoted(table)}")


def drop_indexes(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, shape: Shape
) -> None:
    """Drop a table's indexes, because DuckDB changes no column of a table that has one.

    The table is written anew for it: DuckDB 1.5 aborts the process when an index is dropped and
    one of that name is created in one transaction.
    """
    if shape.indexes and column_types(connection, schema, table):
        rewrite(connection, schema, table, qualified(schema, table))


def create_indexes(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, shape: Shape
) -> None:
    """Create the table's indexes that are not there, over columns that have been loaded."""
    have = column_types(connection, schema, table).keys() if shape.indexes else ()
    for index in shape.indexes.values():
        if {*index.columns} <= {*have}:
            connection.execute(index.sql(schema))
