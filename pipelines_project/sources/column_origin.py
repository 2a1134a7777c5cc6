"""Where a column's values were in the source: a JSON pointer in the metadata of its Arrow field.

It is written into the landed parquet, so that a reader can tell which key or column of the source a
renamed or flattened one was.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

POINTER_KEY = b"json_pointer"


def pointer(path: Sequence[str]) -> str:
    """Return the JSON pointer of a path of keys (RFC 6901)."""
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in path)


def origin(path: Sequence[str]) -> dict[bytes | str, bytes | str]:
    """Return the metadata of the field of a column whose values were at the path, if anywhere."""
    return {POINTER_KEY: pointer(path)} if path else {}


def origins(schema: pa.Schema) -> dict[str, str]:
    """Return the JSON pointer of each column that has one."""
    fields: list[pa.Field[Any]] = list(schema)
    found = {field.name: (field.metadata or {}).get(POINTER_KEY) for field in fields}
    return {name: value.decode() for name, value in found.items() if value}
