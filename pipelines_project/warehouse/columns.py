"""Making a warehouse table fit a new month: columns added, types widened, nothing cast unseen."""

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.warehouse.database import Warehouse, WarehouseError, qualified, quoted
from pipelines_project.warehouse.types import IrreconcilableTypesError, widened_type

READ_FILES = "read_parquet($files, union_by_name = true, hive_partitioning = false)"
MONTH_COLUMN = "month"


def table_name(place: LandedMonth) -> str:
    """Return the quoted name of the month's warehouse table."""
    return qualified(place.source, place.table)


def column_types(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Return the type of each column of a table of the warehouse; no column means no table."""
    columns = connection.execute(
        """select column_name, data_type from duckdb_columns()
           where database_name = 'warehouse' and schema_name = $schema and table_name = $table""",
        {"schema": schema, "table": table},
    ).fetchall()
    return dict(columns)


def is_loaded(warehouse: Warehouse, schema: str, table: str) -> bool:
    """Return whether the warehouse has the table, so that there is one to ask."""
    with warehouse.connect() as connection:
        return bool(column_types(connection, schema, table))


def table_types(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> dict[str, str]:
    """Return the same of the month's table."""
    return column_types(connection, place.source, place.table)


def column_count(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str]
) -> int:
    """Return how many columns the month's table will have with the files' rows."""
    names = _target_names(list(_landed_types(connection, files))).values()
    return len({*table_types(connection, place), *names})


def match_columns(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str]
) -> str:
    """Create or alter the table so that it takes the files' rows, and return what to select.

    It must come before anything else in its transaction: DuckDB fails at commit if a table is
    altered after its rows were deleted.

    Returns:
        The select list over the files, each column cast to the table's type where they differ.

    Raises:
        WarehouseError: a column's types cannot be reconciled; it names column, month and types.
    """
    landed = _landed_types(connection, files)
    names = _target_names(list(landed))
    have = table_types(connection, place)
    if not have:
        columns = ", ".join(f"{quoted(names[column])} {landed[column]}" for column in landed)
        connection.execute(f"create table {table_name(place)} ({MONTH_COLUMN} varchar, {columns})")
        have = {names[column]: landed[column] for column in landed}
    selected = []
    for column, new in landed.items():
        name = names[column]
        if name not in have:
            connection.execute(f"alter table {table_name(place)} add column {quoted(name)} {new}")
        target = _reconcile(connection, place, files, (column, name), (have.get(name, new), new))
        selected.append(f"cast({quoted(column)} as {target}) as {quoted(name)}")
    return ", ".join(selected)


def _reconcile(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    names: tuple[str, str],
    types: tuple[str, str],
) -> str:
    """Return the type that the table's column has now, widened if that was needed."""
    (column, name), (have, new) = names, types

    def survives(candidate: str) -> bool:
        sides = ((table_name(place), name, have), (READ_FILES, column, new))
        return not any(
            _changed_values(connection, files, relation, field, old, candidate)
            for relation, field, old in sides
        )

    try:
        target = widened_type(have, new, survives)
    except IrreconcilableTypesError as error:
        raise WarehouseError(
            f"{place}: column {name!r} is {have} in the "
            f"warehouse and {new} in the landed month, and no type holds both"
        ) from error
    if target != have:
        connection.execute(
            f"alter table {table_name(place)} alter column {quoted(name)} type {target}"
        )
    return target


def _changed_values(
    connection: duckdb.DuckDBPyConnection,
    files: list[str],
    relation: str,
    column: str,
    old: str,
    candidate: str,
) -> int:
    """Return how many of a column's values do not come back from the candidate type unchanged."""
    value = quoted(column)
    there_and_back = f"try_cast(try_cast({value} as {candidate}) as {old})"
    query = f"select count(*) from {relation} where {there_and_back} is distinct from {value}"
    parameters = {"files": files} if relation == READ_FILES else {}
    return connection.execute(query, parameters).fetchall()[0][0]


def _landed_types(connection: duckdb.DuckDBPyConnection, files: list[str]) -> dict[str, str]:
    landed = connection.read_parquet(files, union_by_name=True, hive_partitioning=False)
    types = map(str, landed.types)
    return dict(zip(landed.columns, ("VARCHAR" if t == "JSON" else t for t in types), strict=True))


def _target_names(columns: list[str]) -> dict[str, str]:
    """Return the table's name of each landed column: `month` is the partition's own."""
    names = {column: column for column in columns}
    if MONTH_COLUMN in names:
        free = f"source_{MONTH_COLUMN}"
        while free in names:
            free = f"source_{free}"
        names[MONTH_COLUMN] = free
    return names
