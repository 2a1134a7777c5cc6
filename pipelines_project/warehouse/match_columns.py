"""Making a warehouse table fit a new month: columns added, types widened, nothing cast unseen."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import (
    MONTH_COLUMN,
    selected,
    table_name,
    table_types,
    target_names,
)
from pipelines_project.warehouse.database import UnfitMonthError
from pipelines_project.warehouse.rewriting import drop_indexes
from pipelines_project.warehouse.shape import Shape
from pipelines_project.warehouse.statements import ChangeType
from pipelines_project.warehouse.types import IrreconcilableTypesError, lost_value, widened_type


class _Column(NamedTuple):
    """A column by its names in the files and in the table, and by its types there and here."""

    landed: str
    name: str
    have: str
    new: str


def match_columns(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str], shape: Shape
) -> str:
    """Create or alter the table so that it takes the files' rows, and return what to select.

    It must come before anything else in its transaction: DuckDB fails at commit if a table is
    altered after its rows were deleted.

    Args:
        connection: in a transaction.
        place: the landed month.
        files: of its current load.
        shape: what versions have made of the table.

    Returns:
        The select list over the files, each column cast to the table's type where they differ.

    Raises:
        UnfitMonthError: a column's types cannot be reconciled; it names column, month and types.
    """
    landed = landed_types(connection, files)
    names = target_names(landed, shape)
    _check_names(place, names)
    wanted = {name: shape.types.get(name, landed[column]) for column, name in names.items()}
    have = _with_columns(connection, place, wanted)
    columns = [
        _Column(column, name, have[name], landed[column])
        for column, name in names.items()
        if have[name] != landed[column]
    ]
    _check_given(connection, place, files, [each for each in columns if each.name in shape.types])
    free = [each for each in columns if each.name not in shape.types]
    targets = _wider_types(connection, place, files, free)
    if wider := [each for each in free if targets[each.name] != each.have]:
        drop_indexes(connection, place.source, place.table, shape)
    for each in wider:
        change = ChangeType(place.table, each.name, targets[each.name])
        connection.execute(change.sql(place.source))
    return ", ".join(
        selected(column, name, targets.get(name, have[name])) for column, name in names.items()
    )


def _check_names(place: LandedMonth, names: Mapping[str, str]) -> None:
    """Refuse landed columns that a version has given one name."""
    landed_by_name: dict[str, str] = {}
    for column, name in names.items():
        if other := landed_by_name.get(name):
            raise UnfitMonthError(
                f"{place}: a version has made one column {name!r} of {other!r} and {column!r}, and "
                "the landed rows have both"
            )
        landed_by_name[name] = column


def _with_columns(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, wanted: Mapping[str, str]
) -> dict[str, str]:
    """Create the table, or add the columns that it lacks, and return the type of each column."""
    have = table_types(connection, place)
    if not have:
        columns = [f"{quoted(name)} {sql_type}" for name, sql_type in wanted.items()]
        created = ", ".join([f"{MONTH_COLUMN} varchar", *columns])
        connection.execute(f"create table {table_name(place)} ({created})")
        return dict(wanted)
    for name, sql_type in wanted.items():
        if name not in have:
            added = f"{quoted(name)} {sql_type}"
            connection.execute(f"alter table {table_name(place)} add column {added}")
    return {**wanted, **have}


def _check_given(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    columns: list[_Column],
) -> None:
    """Refuse values that would be others in the type that a version has given their column."""
    for each in columns:
        is_lost = lost_value(each.landed, each.new, each.have)
        query = f"select distinct {quoted(each.landed)} from {READ_FILES} where {is_lost} limit 3"
        if lost := connection.execute(query, {"files": files}).fetchall():
            examples = ", ".join(str(value) for (value,) in lost)
            raise UnfitMonthError(
                f"{place}: a version has made column {each.name!r} {each.have}, which does not "
                f"hold landed values as they are, for example {examples}"
            )


def _wider_types(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    columns: list[_Column],
) -> dict[str, str]:
    """Return the types that the table's columns need, whose types differ from the files'."""
    # Asked of all columns at once: a question each would read table and files a thousand times.
    asked = {each: candidate for each in columns if (candidate := _number_type(place, each))}
    survivors = _survivors(connection, place, files, asked)
    return {each.name: _target(place, each, lambda _, e=each: e in survivors) for each in columns}


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
