"""Making a warehouse table fit a new month: columns added, types widened, nothing cast unseen."""

from collections.abc import Mapping

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.altering import add_columns, change_types, stored_types
from pipelines_project.warehouse.column_names import record_names
from pipelines_project.warehouse.columns import (
    MONTH_COLUMN,
    selected,
    table_name,
    table_types,
    target_names,
)
from pipelines_project.warehouse.database import UnfitMonthError
from pipelines_project.warehouse.postgres import NoSuchTypeError
from pipelines_project.warehouse.rewriting import drop_indexes
from pipelines_project.warehouse.types import (
    IrreconcilableTypesError,
    lost_value,
    widened_type,
)
from pipelines_project.warehouse.versions.shape import Shape
from pipelines_project.warehouse.widening import Column, wider_types


class UnfitTableError(Exception):
    """The table cannot stay as it is if the month is to be loaded."""


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
    landed = _stored(connection, place, landed_types(connection, files))
    names = target_names(landed, shape)
    _check_names(place, names)
    given = shape.types
    wanted = {name: given.get(name, (landed[column],))[-1] for column, name in names.items()}
    have = _with_columns(connection, place, _stored(connection, place, wanted))
    record_names(connection, place, names)
    columns = [Column(column, name, have[name], landed[column]) for column, name in names.items()]
    _check_given(connection, place, files, [each for each in columns if each.name in given], shape)
    differ = [each for each in columns if each.name not in given and each.have != each.new]
    free, targets = _without_empty(connection, place, files, differ)
    targets |= _stored(connection, place, wider_types(connection, place, files, free))
    if wider := [each for each in differ if targets[each.name] != each.have]:
        drop_indexes(connection, place.source, place.table, shape)
    changed = {each.name: targets[each.name] for each in wider}
    change_types(connection, place.source, place.table, changed)
    return ", ".join(
        selected(column, name, *given.get(name, ()), targets.get(name, have[name]))
        for column, name in names.items()
    )


def check_fit(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str], shape: Shape
) -> None:
    """Refuse files for which the table would have to be created or altered.

    Raises:
        UnfitTableError: it would, or might: values are not looked at.
    """
    landed, have = landed_types(connection, files), table_types(connection, place)
    for column, name in target_names(landed, shape).items():
        new = _stored(connection, place, {name: landed[column]})[name]
        if name not in have or _may_widen(have[name], new):
            raise UnfitTableError(f"{place}: {name}")


def _may_widen(have: str, new: str) -> bool:
    try:
        return widened_type(have, new, lambda _: False) != have
    except IrreconcilableTypesError:
        return True


def _stored(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, types: Mapping[str, str]
) -> dict[str, str]:
    """Return the types that the columns have in the warehouse."""
    try:
        return stored_types(connection, types)
    except NoSuchTypeError as error:
        columns = [name for name, sql_type in types.items() if sql_type == str(error)]
        raise UnfitMonthError(
            f"{place}: column {', '.join(map(repr, columns))} is {error}, for which PostgreSQL has "
            "no type: leave it out, have it as text, or load into a DuckDB file or DuckLake"
        ) from error


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
    added = {name: sql_type for name, sql_type in wanted.items() if name not in have}
    add_columns(connection, place.source, place.table, added)
    return {**wanted, **have}


def _without_empty(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    columns: list[Column],
) -> tuple[list[Column], dict[str, str]]:
    """Return the columns that have values in the files and in the table, and types of the others.

    A column without a value lands as text, whatever it is in other months: the type is that of
    where there are values.
    """
    if not columns:
        return [], {}
    of_files = ", ".join(f"count({quoted(each.landed)}) > 0" for each in columns)
    of_table = ", ".join(f"count({quoted(each.name)}) > 0" for each in columns)
    [landed] = connection.execute(
        f"select {of_files} from {READ_FILES}", {"files": files}
    ).fetchall()
    [loaded] = connection.execute(f"select {of_table} from {table_name(place)}").fetchall()
    full, types = list[Column](), dict[str, str]()
    for each, has_landed, has_loaded in zip(columns, landed, loaded, strict=True):
        if has_landed and has_loaded:
            full.append(each)
        else:
            types[each.name] = each.new if has_landed else each.have
    return full, types


def _check_given(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    files: list[str],
    columns: list[Column],
    shape: Shape,
) -> None:
    """Refuse values that would be others in the types that versions have given their column."""
    for each in columns:
        value = quoted(each.landed)
        is_lost = lost_value(value, each.new, *shape.types[each.name])
        query = f"select distinct {value} from {READ_FILES} where {is_lost} limit 3"
        if lost := connection.execute(query, {"files": files}).fetchall():
            examples = ", ".join(str(value) for (value,) in lost)
            raise UnfitMonthError(
                f"{place}: a version has made column {each.name!r} {each.have}, which does not "
                f"hold landed values as they are, for example {examples}"
            )
