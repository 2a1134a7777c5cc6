"""Finding out the shape of lines: exactly, and quickly whether they have one that is known."""

from functools import cache, partial, reduce

import duckdb
import pyarrow as pa

from pipelines_project.sources.json.columns import Column, select_list
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
    merged,
    objects,
    parsed_shape,
    pointer_literal,
    with_leaves,
)

_LINES_PER_ARRAY = 1024
# What the whole JSON text of a value looks like if it is surely of the type. Integers of fifteen
# digits are not long.
_LOOKS_LIKE = {
    BOOLEAN: "true|false",
    BIGINT: "-?[0-9]{1,15}",
    LONG: "-?[0-9]+",
    DOUBLE: "-?[0-9]{1,15}|-?[0-9]+[.eE].*",
    EMPTY: "[{][}]",
    # Nothing does.
    NULL: "a^",
}


def shape_of(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, has_long_numbers: bool
) -> Shape:
    """Return the shape of lines that are valid objects; without lines, an object without keys."""
    if not len(lines):
        return {}
    connection.register("lines", lines)
    # Many lines as one array, whose elements' shapes DuckDB merges as it goes.
    found = connection.execute(
        f"""select distinct json_structure('[' || string_agg(line, ',') || ']')->'$[0]'
            from lines group by file, number // {_LINES_PER_ARRAY}"""
    ).fetchall()
    unmixed = cache(partial(_unmixed, connection))
    shapes = (with_leaves(parsed_shape(structure), unmixed) for (structure,) in found)
    # An array of nothing but empty objects has no object's shape.
    shape = reduce(merged, (shape if isinstance(shape, dict) else {} for shape in shapes))
    return _with_long(connection, lines, shape) if has_long_numbers else shape


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
    known = [set(_at(shape, path)) for path in objects(shape)]
    for keys in keys_of(connection, lines, shape):
        for names, of_object in zip(keys, known, strict=True):
            if names is not None and not (
                names and len(set(names)) == len(names) and of_object.issuperset(names)
            ):
                return False
    checked = [(path, kind) for path, kind in leaves(shape) if kind in _LOOKS_LIKE]
    if not checked:
        return True
    columns = [Column(f"c{at}", path, "JSON") for at, (path, _) in enumerate(checked)]
    parsed, selected = select_list(columns)
    is_of_type = " and ".join(
        f"({column.name} is null or regexp_full_match({column.name}, '{_LOOKS_LIKE[kind]}'))"
        for column, (_, kind) in zip(columns, checked, strict=True)
    )
    query = (
        f"select bool_and({is_of_type}) from "
        f"(select {selected} from (select line, {parsed} as s from lines))"
    )
    return bool(connection.execute(query).fetchall()[0][0])


def _at(shape: Shape, path: Path) -> Shape:
    for key in path:
        shape = shape[key]  # type: ignore[index]
    return shape


def _unmixed(connection: duckdb.DuckDBPyConnection, path: Path, kind: str) -> str:
    """Return the type, and for mixed ones whether they are only objects without keys or more."""
    if kind != MIXED or not path:
        return kind
    query = f"select distinct json_type(line, {pointer_literal(path)}) from lines"
    kinds = {row[0] for row in connection.execute(query).fetchall()}
    return EMPTY if kinds <= {"OBJECT", "NULL", None} else TEXT


def _with_long(connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape) -> Shape:
    """Return the shape with `LONG` for integers that a double would change."""
    numeric = [(path, kind) for path, kind in leaves(shape) if kind in (BIGINT, DOUBLE)]
    if not numeric:
        return shape
    columns = [Column(f"c{at}", path, TEXT) for at, (path, _) in enumerate(numeric)]
    parsed, selected = select_list(columns)
    is_long = ", ".join(
        f"bool_or(abs(try_cast(nullif(regexp_extract({c.name}, '^-?[0-9]+$'), '') as hugeint))"
        f" > {LONG_INTEGER})"
        for c in columns
    )
    found = connection.execute(
        f"select {is_long} from (select {selected} from (select line, {parsed} as s from lines))"
    ).fetchall()[0]
    long = {path: kind for (path, kind), is_it in zip(numeric, found, strict=True) if is_it}

    def change(path: Path, kind: str) -> Shape:
        return {BIGINT: LONG, DOUBLE: TEXT}[long[path]] if path in long else kind

    return with_leaves(shape, change)
