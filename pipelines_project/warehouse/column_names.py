"""The record `ledger.column_names`: which columns have another name in PostgreSQL than landed."""

from collections.abc import Mapping

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.names import LEDGER_SCHEMA, source_of_rebuilt
from pipelines_project.warehouse.attachment import Kind, kind_of
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.postgres import stored_name

_TABLE = "column_names"
_RECORD = f"{LEDGER_SCHEMA}.{_TABLE}"


def record_names(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, names: Mapping[str, str]
) -> None:
    """Record the names that PostgreSQL does not take as they are landed, in the open transaction.

    Args:
        connection: in a transaction.
        place: the landed month.
        names: by landed column, that of the table.
    """
    other = {column: name for column, name in names.items() if stored_name(column) != column}
    if not other or kind_of(connection) is not Kind.POSTGRES:
        return
    source, table = source_of_rebuilt(place.source), place.table
    if not column_types(connection, LEDGER_SCHEMA, _TABLE):
        connection.execute(f"""
            create table {_RECORD} (
                source varchar, table_name varchar, landed_name varchar, column_name varchar
            )
        """)
    known = connection.execute(
        f"select landed_name from {_RECORD} where source = $source and table_name = $table",
        {"source": source, "table": table},
    ).fetchall()
    new = [[source, table, *each] for each in other.items() if (each[0],) not in known]
    if new:
        connection.executemany(f"insert into {_RECORD} values (?, ?, ?, ?)", new)
