"""The columns of warehouse tables: what they are called, and of which types they are."""

from collections.abc import Iterable

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import landed_types
from pipelines_project.names import MONTH_COLUMN
from pipelines_project.sql_text import literal, qualified, quoted
from pipelines_project.warehouse.attachment import WAREHOUSE, Kind, kind_of
from pipelines_project.warehouse.versions.shape import Shape


def table_name(place: LandedMonth) -> str:
    """Return the quoted name of the month's warehouse table."""
    return qualified(place.source, place.table)


def column_types(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Return the type of each column of a table of the warehouse; no column means no table."""
    # `duckdb_columns()` would make every table and view of every database known to this connection
    # first, which takes longer than to open one.
    try:
        described = connection.execute(f"describe warehouse.{qualified(schema, table)}")
    except duckdb.CatalogException:
        return {}
    return {name: type_ for name, type_, *_ in described.fetchall()}


def views(connection: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    """Return the names of the views of a schema of the warehouse."""
    if kind_of(connection) is Kind.POSTGRES:
        # DuckDB takes them for tables.
        of_schema = literal(f"select viewname from pg_views where schemaname = {literal(schema)}")
        found = connection.execute(f"from postgres_query('{WAREHOUSE}', {of_schema})")
    else:
        query = "select view_name from duckdb_views() where database_name = $1 and schema_name = $2"
        found = connection.execute(query, [WAREHOUSE, schema])
    return {name for (name,) in found.fetchall()}


def is_loaded(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Iterable[str] = ()
) -> bool:
    """Return whether the warehouse has the table with these columns, so that it can be asked.

    A table of which only months without rows are loaded may lack every column of its source.
    """
    found = column_types(connection, schema, table)
    return bool(found) and found.keys() >= {*columns}


def table_types(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> dict[str, str]:
    """Return the same of the month's table."""
    return column_types(connection, place.source, place.table)


def column_count(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, landed: Iterable[str]
) -> int:
    """Return how many columns the month's table will have at most with those of a load."""
    names = target_names(landed, Shape()).values()
    return len({*table_types(connection, place), *names})


def fitting_columns(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str], shape: Shape
) -> str:
    """Return what to select from files for a table that stays as it is, without what it lacks."""
    names = target_names(landed_types(connection, files), shape)
    have = table_types(connection, place)
    found = {column: name for column, name in names.items() if name in have}
    return ", ".join(
        selected(column, name, *shape.types.get(name, ()), have[name])
        for column, name in found.items()
    )


def selected(column: str, name: str, *types: str) -> str:
    """Return the SQL of a landed column as the table has it, cast to types one after the other.

    That is how its rows came by a type that was changed twice: 007 is 7 as a number, and then as a
    text too.
    """
    value = quoted(column)
    for sql_type in types:
        value = f"cast({value} as {sql_type})"
    return f"{value} as {quoted(name)}"


def target_names(columns: Iterable[str], shape: Shape) -> dict[str, str]:
    """Return the table's name of each landed column that it keeps.

    `month` is the partition's own, so a landed one has another name; versions may have renamed
    columns, and dropped others.
    """
    names = {column: column for column in columns}
    if MONTH_COLUMN in names:
        free = f"source_{MONTH_COLUMN}"
        while free in names:
            free = f"source_{free}"
        names[MONTH_COLUMN] = free
    return {column: new for column, name in names.items() if (new := shape.name(name)) is not None}
