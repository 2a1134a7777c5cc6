"""A dlt resource of rows as dicts made into one of typed Arrow tables.

Data flow:
    rows ─▶ a temporary file, and a survey of every value ─▶ one type a column
         └▶ the rows again ────────────────────────────────▶ Arrow tables

dlt decides on a column's type by its first value, and puts later values of another type into a
column beside it. So the rows are read whole before the first one lands.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple, cast

import dlt
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource
from dlt.extract.exceptions import DataItemRequiredForDynamicTableHints

from pipelines_project.sources.column_hints import zoneless
from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.row_groups import RowGroup
from pipelines_project.sources.typed_rows.columns import MisfitError, TypedColumns
from pipelines_project.sources.typed_rows.items import (
    declaring,
    handed_through,
    items_of,
    with_meta,
)
from pipelines_project.sources.typed_rows.kept_rows import KeptRows, MisfitRowError
from pipelines_project.sources.typed_rows.survey import Row


def typed(resource: DltResource, column_names: ColumnNames = NONE_CHOSEN) -> DltResource:
    """Return a resource of the same rows, name and hints whose columns have one type each.

    Nested objects are columns `a__b`, named as dlt names them, and lists are JSON text. A column of
    several types is text, as `json_text` writes it. A column that is null in every row is there
    only if it is declared. Without rows there is an empty table of the declared columns. Arrow
    tables, record batches and data frames are handed through; their columns say where they were.

    Args:
        resource: of the rows.
        column_names: the names of columns that the settings choose.

    Raises:
        SourceError: the resource's hints depend on its rows. While it is read: a value does not fit
            the type that the resource declares, or is of a type that no column takes; something
            is no row; a row is meant for another table.
    """
    try:
        schema = resource.compute_table_schema()
    except DataItemRequiredForDynamicTableHints:
        raise SourceError(
            f"{resource.name} has hints that are functions of a row, so that its table is known "
            "only row by row: give the table's name and hints as values, with a resource a table"
        ) from None
    table = _Declared(schema.get("name") or resource.name, schema.get("columns", {}))
    rows = resource.add_map(with_meta)
    contract: Any = resource.schema_contract
    # An item that is for another table gets there only if the resource does not name one.
    name: Any = None if table.name == resource.name else table.name

    # Of a generator instead of a function dlt would search all loaded modules for its own.
    def tables() -> Iterator[Any]:
        yield from _tables(rows, table, column_names)

    return dlt.resource(
        tables,
        name=resource.name,
        table_name=name,
        columns=_hints(table),
        write_disposition=resource.write_disposition,
        schema_contract=contract,
    )


class _Declared(NamedTuple):
    """What a resource declares: the table's name, and columns with their hints."""

    name: str
    columns: TTableSchemaColumns


def _hints(table: _Declared) -> dict[str, Any]:
    """Return the hints of the declared columns as those of an Arrow table.

    Arrow has no type of its own for JSON text and for wei, and dlt warns of each type that differs.
    """
    types: dict[Any, Any] = {"json": "text", "wei": "decimal"}
    return {
        name: {**column, "data_type": types.get(column["data_type"], column["data_type"])}
        if "data_type" in column
        else {**column}
        for name, column in table.columns.items()
    }


def _tables(resource: DltResource, table: _Declared, column_names: ColumnNames) -> Iterator[Any]:
    """Yield the rows as tables, or Arrow tables as they come."""
    rows, has_arrow, has_rows = KeptRows(), False, False
    try:
        for item in map(partial(declaring, table.columns), items_of(resource)):
            if isinstance(item, dict):
                has_rows = True
                rows.add(cast(dict[str, Any], item))
            elif item is not None:
                has_arrow = True
                yield handed_through(resource.name, item, column_names)
        if has_rows and has_arrow:
            raise SourceError(f"{resource.name} yields rows and Arrow tables: only one is possible")
        if not has_arrow:
            yield from _typed_tables(rows, table, column_names)
    except MisfitRowError as misfit:
        where = f" in {misfit.column}" if misfit.column else ""
        raise SourceError(
            f"{_row(table, misfit.number, misfit.row)} has {misfit}{where}"
        ) from misfit


def _typed_tables(rows: KeptRows, table: _Declared, column_names: ColumnNames) -> Iterator[Any]:
    """Yield the rows in tables of a row group each; without rows, one that is empty."""
    batches = rows.batches()
    first = list(islice(batches, 1))
    naming = dlt.current.source_schema().naming
    columns = TypedColumns(rows.seen, table.columns, naming, column_names)
    if without_zone := zoneless(columns.schema):
        # Without this hint dlt takes a time without a zone for UTC.
        hints = dlt.mark.make_hints(columns=without_zone)
        yield dlt.mark.with_hints(columns.schema.empty_table(), hints)
    elif not first:
        yield columns.schema.empty_table()
    group = RowGroup()
    for before, batch in chain(first, batches):
        try:
            is_full = group.add(columns.table(batch))
        except MisfitError as misfit:
            raise SourceError(_misfit(table, before, batch, misfit)) from misfit
        if is_full:
            yield from group.taken()
    yield from group.taken()


def _misfit(table: _Declared, before: int, batch: list[Row], misfit: MisfitError) -> str:
    column, value = misfit.column, misfit.value
    declared = f", which is declared {column.type.declared}" if column.type.declared else ""
    what = "null" if value is None else f"{str(value)[:80]!r}, of the type {type(value).__name__},"
    where = _row(table, before + misfit.index + 1, batch[misfit.index])
    return f"{where} has {what} in {column.name}{declared}: {misfit.reason}"


def _row(table: _Declared, number: int, row: Mapping[str, Any]) -> str:
    """Return how a row is named: by its number, and by its primary key if there is one."""
    keys = [name for name, column in table.columns.items() if column.get("primary_key")]
    said = ", ".join(f"{key} {str(row.get(key))[:80]}" for key in keys)
    return f"{table.name}: row {number}" + (f" ({said})" if said else "")
