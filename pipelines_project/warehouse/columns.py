"""Making a warehouse table fit a new month: columns added, types widened, nothing cast unseen."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.database import UnfitMonthError, Warehouse
from pipelines_project.warehouse.types import IrreconcilableTypesError, widened_type

MONTH_COLUMN = "month"


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


def is_loaded(warehouse: Warehouse, schema: str, table: str, columns: Iterable[str] = ()) -> bool:
    """Return whether the warehouse has the table with these columns, so that it can be asked.

    A table of which only months without rows are loaded may lack every column of its source.
    """
    with warehouse.connect() as connection:
        found = column_types(connection, schema, table)
        return bool(found) and found.keys() >= {*columns}


def table_types(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> dict[str, str]:
    """Return the same of the month's table."""
    return column_types(connection, place.source, place.table)


def column_count(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, landed: Iterable[str]
) -> int:
    """Return how many columns the month's table will have with those of a load."""
    names = target_names(landed).values()
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
        UnfitMonthError: a column's types cannot be reconciled; it names column, month and types.
    """
    landed = landed_types(connection, files)
    names = target_names(landed)
    have = table_types(connection, place)
    if not have:
        created = ", ".join(f"{quoted(names[column])} {landed[column]}" for column in landed)
        connection.execute(f"create table {table_name(place)} ({MONTH_COLUMN} varchar, {created})")
        have = {names[column]: landed[column] for column in landed}
    for column, new in landed.items():
        if names[column] not in have:
            added = f"{quoted(names[column])} {new}"
            connection.execute(f"alter table {table_name(place)} add column {added}")
    columns = [
        _Column(column, names[column], have.get(names[column], new), new)
        for column, new in landed.items()
    ]
    targets = _widen(connection, place, files, [each for each in columns if each.have != each.new])
    return ", ".join(
        _selected(each.landed, each.name, targets.get(each.name, each.have)) for each in columns
    )


def fitting_columns(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str]
) -> str:
    """Return the same list for a table that stays as it is, without the columns that it lacks."""
    names = target_names(landed_types(connection, files))
    have = table_types(connection, place)
    found = {column: name for column, name in names.items() if name in have}
    return ", ".join(_selected(column, name, have[name]) for column, name in found.items())


def _selected(column: str, name: str, sql_type: str) -> str:
    return f"cast({quoted(column)} as {sql_type}) as {quoted(name)}"


class _Column(NamedTuple):
    """A column by its names in the files and in the table, and by its types there and here."""

    landed: str
    name: str
    have: str
    new: str


def _widen(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    columns: list[_Column],
) -> dict[str, str]:
    """Widen the table's columns whose types differ where that is needed, and return the types."""
    # Asked of all columns at once: a question each would read table and files a thousand times.
    asked = {each: candidate for each in columns if (candidate := _number_type(place, each))}
    survivors = _survivors(connection, place, files, asked)
    targets = {
        each.name: _target(place, each, lambda _, e=each: e in survivors) for each in columns
    }
    for each in columns:
        if (target := targets[each.name]) != each.have:
            connection.execute(
                f"alter table {table_name(place)} alter column {quoted(each.name)} type {target}"
            )
    return targets


def _number_type(place: LandedMonth, column: _Column) -> str:
    """Return the type of which one must ask whether all values survive it, if there is one."""
    candidates: list[str] = []

    def ask(candidate: str) -> bool:
        candidates.append(candidate)
        return True

    _target(place, column, ask)
    return "".join(candidates)


def _target(place: LandedMonth, column: _Column, survives: Callable[[str], bool]) -> str:
    try:
        return widened_type(column.have, column.new, survives)
    except IrreconcilableTypesError as error:
        raise UnfitMonthError(
            f"{place}: column {column.name!r} is {column.have} in the "
            f"warehouse and {column.new} in the landed month, and no type holds both"
        ) from error


def _survivors(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    candidates: Mapping[_Column, str],
) -> set[_Column]:
    """Return the columns all of whose values come back from their candidate type unchanged."""
    if not candidates:
        return set()
    in_table = [_changed(each.name, each.have, to) for each, to in candidates.items()]
    in_files = [_changed(each.landed, each.new, to) for each, to in candidates.items()]
    counts = [
        connection.execute(f"select {', '.join(questions)} from {relation}", parameters).fetchall()
        for questions, relation, parameters in (
            (in_table, table_name(place), {}),
            (in_files, READ_FILES, {"files": files}),
        )
    ]
    changed = (sum(both) for both in zip(*(rows[0] for rows in counts), strict=True))
    return {each for each, count in zip(candidates, changed, strict=True) if not count}


def _changed(column: str, old: str, candidate: str) -> str:
    """Return the SQL of how many values do not come back from the candidate type unchanged."""
    value = quoted(column)
    there_and_back = f"try_cast(try_cast({value} as {candidate}) as {old})"
    return f"count(*) filter (where {there_and_back} is distinct from {value})"


def target_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the table's name of each landed column: `month` is the partition's own."""
    names = {column: column for column in columns}
    if MONTH_COLUMN in names:
        free = f"source_{MONTH_COLUMN}"
        while free in names:
            free = f"source_{free}"
        names[MONTH_COLUMN] = free
    return names
