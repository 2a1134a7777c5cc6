"""Where a column's values were in the source: a JSON pointer in the metadata of its Arrow field.

It is written into the landed parquet, so that a reader can tell which key or column of the source a
renamed or flattened one was. A file that DuckDB writes has the pointers of all columns in its own
metadata, because DuckDB gives a column none.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines_project.sql_text import literal

POINTER_KEY = b"json_pointer"
_ALL_POINTERS = "json_pointers"


def pointer(path: Sequence[str]) -> str:
    """Return the JSON pointer of a path of keys (RFC 6901)."""
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in path)


def stated(at: str) -> str:
    """Return a JSON pointer as settings and messages write it: a key of the row itself by name."""
    name = at.removeprefix("/").replace("~1", "/").replace("~0", "~")
    return name if at == pointer((name,)) and not name.startswith("/") else at


def origin(path: Sequence[str]) -> dict[bytes | str, bytes | str]:
    """Return the metadata of the field of a column whose values were at the path, if anywhere."""
    return {POINTER_KEY: pointer(path)} if path else {}


def file_metadata(pointers: Mapping[str, str]) -> str:
    """Return the option of DuckDB's COPY that writes the JSON pointer of each column."""
    return f"kv_metadata {{{_ALL_POINTERS}: {literal(json.dumps(pointers))}}}"


def origins(schema: pa.Schema) -> dict[str, str]:
    """Return the JSON pointer of each column that has one."""
    fields: list[pa.Field[Any]] = list(schema)
    found = {field.name: (field.metadata or {}).get(POINTER_KEY) for field in fields}
    of_file: dict[bytes, bytes] = schema.metadata or {}
    of_all: dict[str, str] = json.loads(of_file.get(_ALL_POINTERS.encode(), b"{}"))
    return of_all | {name: value.decode() for name, value in found.items() if value}
