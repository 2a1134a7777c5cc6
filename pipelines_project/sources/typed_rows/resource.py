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
import pyarrow as pa
from dlt.common.configuration import inject_section, known_sections
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.schema import Schema
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource, DltSource
from dlt.extract.exceptions import DataItemRequiredForDynamicTableHints
from dlt.extract.hints import HintsMeta
from dlt.extract.items import DataItemWithMeta
from dlt.extract.pipe_iterator import PipeIterator
from dlt.extract.utils import get_data_item_format

from pipelines_project.sources.column_hints import zoneless
from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.row_groups import RowGroup
from pipelines_project.sources.typed_rows.arrow_names import with_origins
from pipelines_project.sources.typed_rows.columns import MisfitError, TypedColumns
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
    rows = resource.add_map(_with_meta)
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


class _Marked(NamedTuple):
    """An item with what dlt was told about it, such as the name of another table."""

    item: Any
    meta: Any


def _with_meta(item: Any, meta: Any) -> Any:
    return item if meta is None else _Marked(item, meta)


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
        for item in map(partial(_declaring, table.columns), _items(resource)):
            if isinstance(item, dict):
                has_rows = True
                rows.add(cast(dict[str, Any], item))
            elif item is not None:
                has_arrow = True
                yield _handed_through(resource.name, item, column_names)
        if has_rows and has_arrow:
            raise SourceError(f"{resource.name} yields rows and Arrow tables: only one is possible")
        if not has_arrow:
            yield from _typed_tables(rows, table, column_names)
    except MisfitRowError as misfit:
        where = f" in {misfit.column}" if misfit.column else ""
        raise SourceError(
            f"{_row(table, misfit.number, misfit.row)} has {misfit}{where}"
        ) from misfit


def _declaring(columns: TTableSchemaColumns, item: Any) -> Any:
    """Return an item, as a row if all that it brings is hints of columns, which are noted."""
    if not isinstance(item, _Marked) or not isinstance(item.meta, HintsMeta):
        return item
    hints: dict[str, Any] = {**item.meta.hints}
    found: dict[str, Any] = hints.pop("columns", {})
    hints.pop("original_columns", None)
    if hints or item.meta.create_table_variant or not isinstance(item.item, dict):
        return item
    declared: Any = columns
    for name, hint in found.items():
        if hint.get("data_type") and not declared.get(name, {}).get("data_type"):
            declared[name] = {"name": name, **declared.get(name, {}), **hint}
    return cast(Any, item.item)


def _items(resource: DltResource) -> Iterator[Any]:
    """Yield what the resource yields, pages taken apart, in the contexts of this resource.

    A resource that is iterated by itself enters contexts of its own, and leaves them mangled, which
    hides the reason, when a run is cancelled meanwhile.
    """
    source = DltSource(Schema(resource.name), resource.section or resource.name, [resource])
    # Where dlt looks for the configuration of the function that yields the rows.
    section = resource.section or resource.name
    context = ConfigSectionContext(sections=(known_sections.SOURCES, section, resource.name))
    with inject_section(context):
        pipes = PipeIterator.from_pipes(source.resources.selected_pipes)
    with pipes as found:
        for each in found:
            if isinstance(each.item, list):
                yield from cast(list[Any], each.item)
            else:
                yield each.item


def _handed_through(name: str, item: Any, column_names: ColumnNames) -> Any:
    """Return an item that is no row, as dlt takes it.

    Raises:
        SourceError: it is not for dlt either, or a row that is for another table.
    """
    item, meta = item if isinstance(item, _Marked) else (item, None)
    if isinstance(item, dict):
        raise SourceError(
            f"{name} yields rows with a table or hints of their own: yield them "
            "from a resource each"
        )
    if item is not None and get_data_item_format(item) == "object":
        raise SourceError(
            f"{name} yields {str(item)[:80]!r}, a {type(item).__name__}: yield rows as dicts, "
            "lists of them, or Arrow tables"
        )
    if isinstance(item, pa.Table | pa.RecordBatch):
        item = with_origins(item, dlt.current.source_schema().naming, column_names)
    return DataItemWithMeta(meta, item) if meta is not None else item


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
