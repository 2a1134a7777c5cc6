"""The columns of Arrow tables that a source yields, named as those of rows are."""

from typing import Any, cast

import pyarrow as pa
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.column_names import ColumnNames
from pipelines_project.sources.column_origin import origin, origins
from pipelines_project.sources.typed_rows.names import named


def with_origins(table: Any, naming: NamingConvention, column_names: ColumnNames) -> Any:
    """Return a table that says where its columns were, unless it does already.

    A column keeps its name, which dlt makes into one of its own, but for one whose name is chosen
    or falls together with another's.

    Args:
        table: or a record batch.
        naming: dlt's naming convention.
        column_names: the names of columns that the settings choose.

    Raises:
        SourceError: the settings choose a name that another column has.
    """
    schema: Any = table.schema
    names: list[str] = [name for name in schema.names if name not in DLT_COLUMNS]
    if origins(schema) or len({*names}) < len(names):
        return table
    landed = {
        path[0]: new for new, path in named([(n,) for n in names], naming, column_names).items()
    }
    fields: list[Any] = [
        field if field.name in DLT_COLUMNS else _named(field, landed[field.name], naming)
        for field in schema
    ]
    named_schema = pa.schema(fields, schema.metadata)
    return cast(Any, type(table)).from_arrays(table.columns, schema=named_schema)


def _named(field: Any, landed: str, naming: NamingConvention) -> Any:
    known: dict[Any, Any] = {**(field.metadata or {}), **origin((field.name,))}
    is_plain = naming.normalize_path(field.name) == landed
    return field.with_name(field.name if is_plain else landed).with_metadata(known)
