"""Which types columns need that hold the values of the table and of a new month."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import READ_FILES
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import table_name
from pipelines_project.warehouse.database import UnfitMonthError
from pipelines_project.warehouse.types import IrreconcilableTypesError, widened_type


class Column(NamedTuple):
    """A column by its names in the files and in the table, and by its types there and here."""

    landed: str
    name: str
    have: str
    new: str


def wider_types(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    columns: list[Column],
) -> dict[str, str]:
    """Return the types that the table's columns need, whose types differ from the files'."""
    # Asked of all columns at once: a question each would read table and files a thousand times.
    asked = {each: candidate for each in columns if (candidate := _number_type(place, each))}
    survivors = _survivors(connection, place, files, asked)
    return {each.name: _target(place, each, lambda _, e=each: e in survivors) for each in columns}


def _number_type(place: LandedMonth, column: Column) -> str:
    """Return the type of which one must ask whether all values survive it, if there is one."""
    candidates: list[str] = []

    def ask(candidate: str) -> bool:
        candidates.append(candidate)
        return True

    _target(place, column, ask)
    return "".join(candidates)


def _target(place: LandedMonth, column: Column, survives: Callable[[str], bool]) -> str:
    try:
        return widened_type(column.have, column.new, survives)
    except IrreconcilableTypesError as error:
        raise UnfitMonthError(
            f"{place}: column {column.name!r} is {column.have} in the "
            f"warehouse and {column.new} in the landed month, and no type holds both: land it "
            "with one type in every month, or leave it out"
        ) from error


def _survivors(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    candidates: Mapping[Column, str],
) -> set[Column]:
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
