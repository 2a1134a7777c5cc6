"""Adding columns to a warehouse table and changing their types, whatever database it is in."""

import re
from collections.abc import Mapping

import duckdb

from pipelines_project.sql_text import literal, qualified, quoted
from pipelines_project.warehouse.attachment import WAREHOUSE, Kind, kind_of
from pipelines_project.warehouse.postgres import postgres_type, stored_type
from pipelines_project.warehouse.versions.changes import ChangeType

# DuckLake's files would have it as a DOUBLE.
_HUGE = re.compile(r"\bU?HUGEINT\b")


def _in_lake(sql_type: str) -> str:
    return _HUGE.sub("DECIMAL(38,0)", sql_type)


_STORED = {Kind.LAKE: _in_lake, Kind.POSTGRES: stored_type}


def stored_types(connection: duckdb.DuckDBPyConnection, types: Mapping[str, str]) -> dict[str, str]:
    """Return the types that columns of these types have in the warehouse.

    Raises:
        NoSuchTypeError: there is none for one of them.
    """
    stored = _STORED.get(kind_of(connection))
    return {name: stored(each) if stored else each for name, each in types.items()}


def stored_query(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the query with its columns cast to the types that they have in the warehouse."""
    if kind_of(connection) is Kind.FILE:
        return sql
    described = connection.execute(f"describe from ({sql}\n)").fetchall()
    types = {name: kind for name, kind, *_ in described}
    stored = stored_types(connection, types)
    if stored == types:
        return sql
    columns = (f"cast({quoted(name)} as {stored[name]}) as {quoted(name)}" for name in types)
    return f"select {', '.join(columns)} from ({sql}\n)"


def add_columns(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, types: Mapping[str, str]
) -> None:
    """Add columns of types that the warehouse has."""
    if not types:
        return
    name = qualified(schema, table)
    if kind_of(connection) is Kind.POSTGRES:
        # DuckDB hands on its own names of types, of which PostgreSQL knows some, or as others.
        added = (f"add column {quoted(each)} {postgres_type(types[each])}" for each in types)
        statement = literal(f"alter table {name} {', '.join(added)}")
        connection.execute(f"call postgres_execute('{WAREHOUSE}', {statement})")
        connection.execute("call pg_clear_cache()")
        return
    for column, sql_type in types.items():
        connection.execute(f"alter table {name} add column {quoted(column)} {sql_type}")


def change_types(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, types: Mapping[str, str]
) -> None:
    """Give columns other types, with their values cast by DuckDB.

    Only a DuckDB file changes a type in place. Elsewhere a new column takes the values, and then
    the name of the old one, so that the table keeps its grants and all else that it has.
    """
    if kind_of(connection) is Kind.FILE:
        for column, sql_type in types.items():
            connection.execute(ChangeType(table, column, sql_type).sql(schema))
        return
    if not types:
        return
    name, new = qualified(schema, table), {column: f"__new_{n}" for n, column in enumerate(types)}
    add_columns(connection, schema, table, {new[column]: types[column] for column in types})
    values = (f"{new[column]} = cast({quoted(column)} as {types[column]})" for column in types)
    connection.execute(f"update {name} set {', '.join(values)}")
    for column in types:
        connection.execute(f"alter table {name} drop column {quoted(column)}")
        connection.execute(f"alter table {name} rename column {new[column]} to {quoted(column)}")
