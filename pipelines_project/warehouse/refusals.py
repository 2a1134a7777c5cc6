"""Why a warehouse does not take a month, as a sentence that says what to do."""

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import READ_FILES, landed_types, readable
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.attachment import Kind, kind_of, without_password
from pipelines_project.warehouse.columns import column_count, table_name, views
from pipelines_project.warehouse.conflicts import is_untold
from pipelines_project.warehouse.database import UnfitMonthError, WarehouseError

_INSTEAD = "or load into a DuckDB file or DuckLake (WAREHOUSE_URL), which take it"
_MOST_COLUMNS = 1600
# With fewer, a row fits into a page of 8 kB whatever is in it.
_WIDE = 400


def refusal(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, error: duckdb.Error
) -> WarehouseError | None:
    """Return why the month is not taken, where there is more to say than DuckDB does.

    Where it is what is landed that PostgreSQL cannot hold, that is an `UnfitMonthError`.
    """
    if place.table in views(connection, place.source):
        return WarehouseError(
            f"{place}: {table_name(place)} is a view, and a load writes a table: give the view "
            f"another name, or remove it: drop view {table_name(place)}"
        )
    told = is_untold(error) or isinstance(error, duckdb.InvalidInputException)
    load = place.current_files()
    if not told or load is None or kind_of(connection) is not Kind.POSTGRES:
        return None
    refused = f"{place}: PostgreSQL does not take the rows for {table_name(place)}"
    with readable(place, load) as here:
        columns = _with_nul(connection, here.files)
    if columns:
        return UnfitMonthError(
            f"{refused}: column {', '.join(map(repr, columns))} has a text with a NUL byte. Remove "
            f"it at the source, leave the column out, {_INSTEAD}"
        )
    columns = column_count(connection, place, load.record.schema)
    if columns > _WIDE:
        return UnfitMonthError(
            f"{refused}: it has {columns} columns, and there are at most {_MOST_COLUMNS}, whose "
            f"values fit into a page of 8 kB. Leave columns out, {_INSTEAD}: {_first_line(error)}"
        )
    return WarehouseError(f"{refused}: {_first_line(error)}") if is_untold(error) else None


def _with_nul(connection: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    """Return the columns that have a text with a NUL byte."""
    texts = [name for name, kind in landed_types(connection, files).items() if kind == "VARCHAR"]
    if not texts:
        return []
    asked = ", ".join(
        f"coalesce(bool_or(contains({quoted(each)}, chr(0))), false)" for each in texts
    )
    [found] = connection.execute(f"select {asked} from {READ_FILES}", {"files": files}).fetchall()
    return [name for name, has_nul in zip(texts, found, strict=True) if has_nul]


def _first_line(error: duckdb.Error) -> str:
    """Return what the server said, which comes after the statement."""
    said = without_password(str(error)).strip()
    return said.rsplit('": ', 1)[-1].splitlines()[0][:300] if said else ""
