"""Arrow's JSON parser, which is told the type of every key and takes nothing else.

It refuses a key that it does not know or that is there twice, and a value of another type. What it
would let pass, or answer with another value than DuckDB, is refused by those who call it.
"""

from typing import Any

import pyarrow as pa
import pyarrow.json

from pipelines_project.sources.json.shape import BIGINT, BOOLEAN, DOUBLE, LONG, NULL, TEXT, Shape

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


class UnfitJsonError(Exception):
    """Some objects are not surely of the shape."""


def schema_of(shape: Shape) -> pa.Schema | None:
    """Return the schema of objects of the shape; None if Arrow has no type for a leaf."""
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


def parsed(data: bytes, schema: pa.Schema, *, over_lines: bool = False) -> pa.Table:
    """Return the objects that follow one another in the data as rows.

    Args:
        data: of whole objects.
        schema: of each of them.
        over_lines: whether an object may go on in the next line.

    Raises:
        UnfitJsonError: there is something that the schema does not have, or that is no JSON.
    """
    whole = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
    told = pj.ParseOptions(
        explicit_schema=schema,
        newlines_in_values=over_lines,
        unexpected_field_behavior="error",
    )
    try:
        table = pj.read_json(pa.BufferReader(data), whole, told)
        # Its parser hands through text that is not UTF-8.
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnfitJsonError(str(error)) from error
    return table
