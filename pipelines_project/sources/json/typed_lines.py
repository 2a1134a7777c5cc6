"""Lines whose shape is known, parsed once by Arrow into columns of the final types, or not at all.

Arrow's parser is told the type of every key and takes nothing else: it refuses a key that it does
not know or that is there twice, and a value of another type. What it would let pass, or answer
with another value than DuckDB, is refused here.
"""

import re
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.json

from pipelines_project.sources.json.columns import leaves_of
from pipelines_project.sources.json.exact_numbers import (
    LONG_INTEGER,
    may_be_inexact,
    with_exact_numbers,
)
from pipelines_project.sources.json.raw_lines import split_lines
from pipelines_project.sources.json.shape import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    LONG,
    NULL,
    TEXT,
    Path,
    Shape,
)

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute
# Its stubs know only a part of the types.
pj: Any = pyarrow.json

_TYPES = {
    BOOLEAN: pa.bool_(),
    BIGINT: pa.int64(),
    LONG: pa.int64(),
    DOUBLE: pa.float64(),
    TEXT: pa.large_string(),
    NULL: pa.null(),
}
# Arrow takes a null beside the objects for a row, and crashes if it comes first.
_NULL_BESIDE_OBJECTS = re.compile(rb"\}[ \t\r]*null")
# An integer for DuckDB, which has one zero only.
_MINUS_ZERO = re.compile(rb"-0[^.0-9eE]")


class UnfitLinesError(Exception):
    """Some lines are not surely of the shape."""


def schema_of(shape: Shape) -> pa.Schema | None:
    """Return the schema of lines of the shape; None if a leaf has no type that Arrow would tell."""
    if not isinstance(shape, dict):
        return None
    try:
        return pa.schema(_fields(shape))
    except KeyError:
        return None


def _fields(shape: dict[str, Shape]) -> "list[pa.Field[Any]]":
    return [
        pa.field(key, pa.struct(_fields(inner)) if isinstance(inner, dict) else _TYPES[inner])
        for key, inner in shape.items()
    ]


def typed_lines(
    connection: duckdb.DuckDBPyConnection, data: bytes, schema: pa.Schema
) -> tuple[int, dict[Path, "pa.Array[Any]"]]:
    """Return how many lines there are, and the values of each path of the schema.

    Args:
        connection: any DuckDB connection.
        data: whole lines.
        schema: as `schema_of` gives it.

    Raises:
        UnfitLinesError: a line is not surely what its row would be, or is blank.
    """
    count = _count(data)
    whole = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
    told = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    try:
        table = pj.read_json(pa.BufferReader(data), whole, told)
        # Its parser hands through text that is not UTF-8.
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnfitLinesError(str(error)) from error
    # One object a line: each line begins with one, and none goes on in the next.
    if len(table) != count:
        raise UnfitLinesError(f"{len(table)} objects in {count} lines")
    found = _leaves(table.combine_chunks())
    doubles = [array for array in found.values() if pa.types.is_float64(array.type)]
    if doubles and not _are_exact(connection, data, doubles):
        raise UnfitLinesError("a number that a double may not hold")
    return count, found


def _count(data: bytes) -> int:
    """Return the number of lines, each of which begins and ends as an object does."""
    text = data.removesuffix(b"\n").removesuffix(b"\r")
    ends = text.count(b"\n")
    if (
        not (text.startswith(b"{") and text.endswith(b"}"))
        or (text.count(b"}\n{") != ends and text.count(b"}\r\n{") != ends)
        or (b"null" in text and _NULL_BESIDE_OBJECTS.search(text))
    ):
        raise UnfitLinesError("a line that may be no object")
    return ends + 1


def _leaves(table: pa.Table) -> dict[Path, "pa.Array[Any]"]:
    found: dict[Path, pa.Array[Any]] = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        found |= leaves_of(column.combine_chunks(), (name,))
    return found


def _are_exact(
    connection: duckdb.DuckDBPyConnection, data: bytes, doubles: "list[pa.Array[Any]]"
) -> bool:
    """Tell whether surely no number became another one."""
    # False for what is no number, too.
    short = (pc.all(pc.less(pc.abs(array), LONG_INTEGER)).as_py() is not False for array in doubles)
    if not all(short) or _MINUS_ZERO.search(data):
        return False
    if not may_be_inexact(data):
        return True
    return not with_exact_numbers(connection, split_lines(data).cast(pa.large_string())).changed
