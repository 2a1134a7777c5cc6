"""The types of the columns in parquet files, kept in records for readers that need a schema."""

from collections.abc import Iterable
from typing import Any

import pyarrow.parquet

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


def file_types(files: Iterable[Any]) -> dict[str, str]:
    """Return the Arrow type of each column, as text; several with ` or ` where files differ.

    Args:
        files: their paths on this machine, or files that are open.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        for column in pq.read_schema(file):
            kinds = found.setdefault(column.name, [])
            if str(column.type) not in kinds:
                kinds.append(str(column.type))
    return {name: " or ".join(kinds) for name, kinds in found.items()}
