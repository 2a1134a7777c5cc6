"""The objects of one JSON list, parsed by Arrow into columns of the final types, or not at all.

What Arrow would let pass, or answer with another value than DuckDB, is refused here.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute

from pipelines_project.sources.json.arrow_parser import UnfitJsonError, parsed
from pipelines_project.sources.json.columns import leaves_of
from pipelines_project.sources.json.exact_numbers import are_short, has_inexact
from pipelines_project.sources.json.shape import Path

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute


def typed_items(
    document: bytes, key: str, schema: pa.Schema
) -> tuple[int, dict[Path, "pa.Array[Any]"]]:
    """Return how many objects the list has, and the values of each path of the schema.

    Args:
        document: one JSON object, with a list of objects at the key and nothing else.
        key: where the list is.
        schema: of the objects, as `schema_of` gives it.

    Raises:
        UnfitJsonError: the document is something else, or an object is not surely what its row
            would be.
    """
    # Arrow ends the process where a null comes first.
    if not document.lstrip().startswith(b"{"):
        raise UnfitJsonError("no object")
    fields: Any = [*schema]
    of_document = pa.schema([pa.field(key, pa.list_(pa.struct(fields)))])
    table = parsed(document, of_document, over_lines=True)
    lists: Any = table[key].combine_chunks()
    objects = lists.flatten()
    if len(lists) != 1 or lists.null_count or objects.null_count:
        raise UnfitJsonError(f"not one list of objects at {key}")
    found = leaves_of(objects)
    doubles = [array for array in found.values() if pa.types.is_float64(array.type)]
    if doubles and (not all(map(_are_plain, doubles)) or has_inexact(document)):
        raise UnfitJsonError("a number that a double may not hold")
    return len(objects), found


def _are_plain(doubles: "pa.Array[Any]") -> bool:
    """Tell whether all are short, and none is -0, which DuckDB reads as an integer, 0."""
    minus_zeros = pc.equal(pc.divide(1.0, doubles), float("-inf"))
    return are_short(doubles) and not pc.any(minus_zeros).as_py()
