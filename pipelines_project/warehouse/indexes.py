"""The indexes that versions have given a table, which what writes the table anew must keep."""

import duckdb

from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.shape import Shape
from pipelines_project.warehouse.statements import DropIndex


def drop_indexes(connection: duckdb.DuckDBPyConnection, schema: str, shape: Shape) -> None:
    """Drop a table's indexes, because DuckDB changes no column of a table that has one."""
    for name in shape.indexes:
        connection.execute(DropIndex(name).sql(schema))


def create_indexes(connection: duckdb.DuckDBPyConnection, schema: str, shape: Shape) -> None:
    """Create the table's indexes that are not there, over columns that have been loaded."""
    for index in shape.indexes.values():
        if column_types(connection, schema, index.table).keys() >= {*index.columns}:
            connection.execute(index.sql(schema))
