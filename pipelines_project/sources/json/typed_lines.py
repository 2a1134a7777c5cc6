"""Lines whose shape is known, parsed once by Arrow into columns of the final types, or not at all.

What Arrow would let pass, or answer with another value than DuckDB, is refused here.
"""

import re
from typing import Any

import duckdb
import pyarrow as pa

from pipelines_project.sources.json.arrow_parser import UnfitJsonError, parsed
from pipelines_project.sources.json.columns import leaves_of
from pipelines_project.sources.json.exact_numbers import (
    are_short,
    may_be_inexact,
    with_exact_numbers,
)
from pipelines_project.sources.json.raw_lines import split_lines
from pipelines_project.sources.json.shape import Path

# Arrow takes a null beside the objects for a row, and crashes if it comes first.
_NULL_BESIDE_OBJECTS = re.compile(rb"\}[ \t\r]*null")
# An integer for DuckDB, which has one zero only.
_MINUS_ZERO = re.compile(rb"-0[^.0-9eE]")


def typed_lines(
    connection: duckdb.DuckDBPyConnection, data: bytes, schema: pa.Schema
) -> tuple[int, dict[Path, "pa.Array[Any]"]]:
    """Return how many lines there are, and the values of each path of the schema.

    Args:
        connection: any DuckDB connection.
        data: whole lines.
        schema: as `schema_of` gives it.

    Raises:
        UnfitJsonError: a line is not surely what its row would be, or is blank.
    """
    count = _count(data)
    table = parsed(data, schema)
    # One object a line: each line begins with one, and none goes on in the next.
    if len(table) != count:
        raise UnfitJsonError(f"{len(table)} objects in {count} lines")
    found = _leaves(table.combine_chunks())
    doubles = [array for array in found.values() if pa.types.is_float64(array.type)]
    if doubles and not _are_exact(connection, data, doubles):
        raise UnfitJsonError("a number that a double may not hold")
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
        raise UnfitJsonError("a line that may be no object")
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
    if not all(map(are_short, doubles)) or _MINUS_ZERO.search(data):
        return False
    if not may_be_inexact(data):
        return True
    return not with_exact_numbers(connection, split_lines(data).cast(pa.large_string())).changed
