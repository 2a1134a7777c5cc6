"""The columns of Arrow tables and parquet files as dlt describes them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


def file_columns(path: Path) -> TTableSchemaColumns:
    """Return the columns of a parquet file."""
    schema = pq.read_schema(path)
    columns = py_arrow_to_table_schema_columns(schema)
    for name, hint in zoneless(schema).items():
        columns[name].update(hint)
    return columns


def zoneless(schema: pa.Schema) -> dict[str, TColumnSchema]:
    """Return the hints of the columns whose times have no zone, which dlt takes for UTC's."""
    fields: list[pa.Field[Any]] = list(schema)
    return {
        field.name: {"name": field.name, "data_type": "timestamp", "timezone": False}
        for field in fields
        if pa.types.is_timestamp(field.type) and field.type.tz is None
    }
