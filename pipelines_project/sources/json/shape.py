"""The shape of JSON lines: which keys they have at which place, and of what type their values are.

A shape is a tree: an object is a dict of its keys, anything else the name of a type below.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

from pipelines_project.sources.column_origin import pointer
from pipelines_project.sql_text import literal

Shape = dict[str, Any] | str
Path = tuple[str, ...]

NULL, EMPTY, BOOLEAN, BIGINT, LONG, DOUBLE, TEXT = (
    "NULL",
    "EMPTY",
    "BOOLEAN",
    "BIGINT",
    "LONG",
    "DOUBLE",
    "VARCHAR",
)
"""`EMPTY` is an object without keys, `LONG` integers of which a double would lose digits."""

MIXED = "JSON"
# An object with more different keys than this in a month is a map: it stays JSON text.
MAX_KEYS = 500
# Objects below this many levels stay JSON text.
MAX_COLUMN_LEVELS = 20

_INTEGERS = {"UBIGINT", "BIGINT", "HUGEINT"}


def parsed_shape(structure: str) -> Shape:
    """Return the shape that DuckDB's `json_structure` writes of one line or many."""
    return _shape(json.loads(structure))


def _shape(structure: Any, level: int = 0) -> Shape:
    if isinstance(structure, dict) and level <= MAX_COLUMN_LEVELS:
        found = cast(dict[str, Any], structure)
        return {key: _shape(value, level + 1) for key, value in found.items()}
    if isinstance(structure, dict | list):
        return TEXT
    return BIGINT if structure in _INTEGERS else structure


def merged(one: Shape, other: Shape) -> Shape:
    """Return the shape of values that have the one shape or the other."""
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merged(one.get(key, NULL), other.get(key, NULL)) for key in one | other}
    for left, right in ((one, other), (other, one)):
        if left == EMPTY and isinstance(right, dict):
            return right
        if left == BIGINT and right in (LONG, DOUBLE):
            return right
    return TEXT


def leaves(shape: Shape, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the path and type of everything in the shape that is not an object with keys."""
    if isinstance(shape, str):
        yield path, shape
        return
    for key, value in shape.items():
        yield from leaves(value, (*path, key))


def objects(shape: Shape, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every object with keys, the outermost one first."""
    if isinstance(shape, dict):
        yield path
        for key, value in shape.items():
            yield from objects(value, (*path, key))


def with_leaves(shape: Shape, change: Callable[[Path, str], Shape], path: Path = ()) -> Shape:
    """Return the shape with every leaf replaced by what `change` makes of its path and type."""
    if isinstance(shape, str):
        return change(path, shape)
    return {key: with_leaves(value, change, (*path, key)) for key, value in shape.items()}


def flattened(shape: Shape, path: Path = ()) -> Shape:
    """Return the shape with maps as text."""
    if isinstance(shape, str):
        return shape
    if path and len(shape) > MAX_KEYS:
        return TEXT
    return {key: flattened(value, (*path, key)) for key, value in shape.items()}


def pointer_literal(path: Path) -> str:
    """Return the path as an SQL literal of a JSON pointer."""
    return literal(pointer(path))
