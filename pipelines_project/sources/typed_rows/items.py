"""What a dlt resource yields, item by item, and what dlt was told about each item."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import dlt
import pyarrow as pa
from dlt.common.configuration import inject_section, known_sections
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.schema import Schema
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource, DltSource
from dlt.extract.hints import HintsMeta
from dlt.extract.items import DataItemWithMeta
from dlt.extract.pipe_iterator import PipeIterator
from dlt.extract.utils import get_data_item_format

from pipelines_project.sources.column_names import ColumnNames
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.typed_rows.arrow_names import with_origins


class _Marked(NamedTuple):
    """An item with what dlt was told about it, such as the name of another table."""

    item: Any
    meta: Any


def with_meta(item: Any, meta: Any) -> Any:
    """Return an item, marked with what dlt was told about it if that is anything."""
    return item if meta is None else _Marked(item, meta)


def items_of(resource: DltResource) -> Iterator[Any]:
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


def declaring(columns: TTableSchemaColumns, item: Any) -> Any:
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


def handed_through(name: str, item: Any, column_names: ColumnNames) -> Any:
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
