"""The types of the columns in parquet files, kept in records for readers that need a schema."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa


def file_types(schemas: Iterable[pa.Schema]) -> dict[str, str]:
    """Return the Arrow type of each column, as text; several with ` or ` where files differ."""
    found: dict[str, list[str]] = {}
    for schema in schemas:
        columns: list[pa.Field[Any]] = list(schema)
        for column in columns:
            kinds = found.setdefault(column.name, [])
            if str(column.type) not in kinds:
                kinds.append(str(column.type))
    return {name: " or ".join(kinds) for name, kinds in found.items()}
