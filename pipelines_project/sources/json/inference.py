"""Finding out the shape of lines: exactly, and quickly whether they have one that is known."""

import json
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.compute

from pipelines_project.sources.json.columns import Column, values
from pipelines_project.sources.json.exact_numbers import LONG_INTEGER
from pipelines_project.sources.json.shape import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    EMPTY,
    LONG,
    MIXED,
    NULL,
    TEXT,
    Path,
    Shape,
    leaves,
    objects,
    parsed_shape,
    pointer_literal,
    with_leaves,
)

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

# What the whole JSON text of a value looks like if it is surely of the type. Integers of fifteen
# digits are not long, of eighteen fit into 64 bits.
_LOOKS_LIKE = {
    BOOLEAN: "^(true|false)$",
    BIGINT: "^-?[0-9]{1,15}$",
    LONG: "^-?[0-9]{1,18}$",
    DOUBLE: "^(-?[0-9]{1,15}|-?[0-9]+[.eE].*)$",
    EMPTY: "^[{][}]$",
    # Nothing does.
    NULL: "a^",
}
_LONG_INTEGER = "^-?[0-9]{16,}$"
# What `json_structure` does not tell of.
_TOLD_BY_VALUES = (MIXED, BIGINT, DOUBLE)


def structure_of(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> Shape:
    """Return the shape of lines that are valid objects but for what only their values tell."""
    connection.register("lines", lines)
    # All lines as one array, whose elements' shapes DuckDB merges as it goes.
    [(structure,)] = connection.execute(
        "select json_structure('[' || string_agg(line, ',') || ']')->'$[0]' from lines"
    ).fetchall()
    # An array of nothing, or of nothing but empty objects, has no object's shape.
    shape = parsed_shape(structure or "{}")
    return shape if isinstance(shape, dict) else {}


def keys_of(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape
) -> list[list[list[str] | None]]:
    """Return every different set of keys that the shape's objects have in a line.

    Returns:
        For each, the keys of each object in the order of `objects(shape)`: None where it is not
        there, empty where it has none or is no object.

    Raises:
        duckdb.InvalidInputException: a line is no JSON.
    """
    connection.register("lines", lines)
    query = f"select distinct {key_lists(shape)} from lines"
    return [keys for (keys,) in connection.execute(query).fetchall()]


def key_lists(shape: Shape) -> str:
    """Return the SQL of the keys of each of the shape's objects in a `line`."""
    pointers = ", ".join(pointer_literal(path) for path in objects(shape))
    return f"json_keys(line, [{pointers}])"


def has_shape(connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape) -> bool:
    """Tell whether all lines are surely of the shape, each object with each key at most once.

    It looks only at keys and at values that are not text, and where it is not sure says no.

    Raises:
        duckdb.InvalidInputException: a line is no JSON.
    """
    if not _has_keys(connection, lines, shape):
        return False
    checked = [(path, kind) for path, kind in leaves(shape) if kind in _LOOKS_LIKE]
    columns = [Column("", path, "JSON") for path, _ in checked]
    return all(
        _all_look_like(kind, texts)
        for (_, kind), texts in zip(checked, values(connection, lines, columns), strict=True)
    )


def _all_look_like(kind: str, texts: Any) -> bool:
    fit = pc.match_substring_regex(texts, _LOOKS_LIKE[kind])
    if pc.all(fit).as_py() is not False:
        return True
    # Some integers of nineteen digits fit into 64 bits.
    others = texts.filter(pc.invert(fit))
    are_integers = pc.all(pc.match_substring_regex(others, _LONG_INTEGER)).as_py()
    return kind == LONG and are_integers and _type_of(BIGINT, others) == LONG


def _has_keys(connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape) -> bool:
    """Tell whether the objects of all lines have keys of the shape only, each at most once.

    Objects within the lines are looked at by themselves, those of one shape together: to find
    each from the start of its line takes as long as the line is wide.
    """
    of_line = cast(dict[str, Shape], shape)
    inner = {key: value for key, value in of_line.items() if isinstance(value, dict)}
    outer: dict[str, Any] = {**of_line, **dict.fromkeys(inner, NULL)}
    if not _have_keys(connection, lines, outer):
        return False
    texts = values(connection, lines, [Column("", (key,), "JSON") for key in inner])
    alike: dict[str, tuple[Shape, list[pa.Array[Any]]]] = {}
    for each, text in zip(inner.values(), texts, strict=True):
        same = json.dumps(with_leaves(each, _no_type), sort_keys=True)
        alike.setdefault(same, (each, []))[1].append(text)
    return all(
        _have_keys(connection, _as_lines(of_shape), each) for each, of_shape in alike.values()
    )


def _no_type(_path: Path, _kind: str) -> Shape:
    return NULL


def _as_lines(texts: list["pa.Array[Any]"]) -> pa.Table:
    return pa.Table.from_pydict({"line": pa.concat_arrays(texts).drop_null()})


def _have_keys(connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape) -> bool:
    known = [set(_at(shape, path)) for path in objects(shape)]
    return all(
        names is None or (names and len(set(names)) == len(names) and of_object.issuperset(names))
        for keys in keys_of(connection, lines, shape)
        for names, of_object in zip(keys, known, strict=True)
    )


def _at(shape: Shape, path: Path) -> Shape:
    for key in path:
        shape = shape[key]  # type: ignore[index]
    return shape


def with_values(connection: duckdb.DuckDBPyConnection, lines: pa.Table, structure: Shape) -> Shape:
    """Return the structure of the lines with the types that only their values tell."""
    unsure = [(path, kind) for path, kind in leaves(structure) if kind in _TOLD_BY_VALUES]
    if not unsure:
        return structure
    columns = [Column("", path, "JSON") for path, _ in unsure]
    types = {
        path: _type_of(kind, texts)
        for (path, kind), texts in zip(unsure, values(connection, lines, columns), strict=True)
    }
    return with_leaves(structure, lambda path, kind: types.get(path, kind))


def _type_of(kind: str, texts: Any) -> str:
    """Return the type of a leaf, given what `json_structure` calls it and its values' JSON texts.

    Integers come as their digits, however many.
    """
    if kind == MIXED:
        return EMPTY if pc.all(pc.equal(texts, "{}")).as_py() else TEXT
    digits = texts.filter(pc.match_substring_regex(texts, _LONG_INTEGER)).to_pylist()
    if all(len(text) <= 17 and abs(int(text)) <= LONG_INTEGER for text in digits):
        return kind
    fits = all(len(text) <= 20 and -(2**63) <= int(text) < 2**63 for text in digits)
    return LONG if kind == BIGINT and fits else TEXT
