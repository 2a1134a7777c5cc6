"""Finding out the shape of lines: exactly, and quickly whether they have one that is known."""

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
    objects,
    parsed_shape,
    pointer_literal,
    with_leaves,
)

# What tells from the whole JSON text of a value that it is surely of the type. Integers of fifteen
# digits are not long.
_IS_OF_TYPE = {
    BOOLEAN: "regexp_full_match({0}, 'true|false')",
    BIGINT: "regexp_full_match({0}, '-?[0-9]{{1,15}}')",
    LONG: "regexp_full_match({0}, '-?[0-9]+') and try_cast({0} as bigint) is not null",
    DOUBLE: "regexp_full_match({0}, '-?[0-9]{{1,15}}|-?[0-9]+[.eE].*')",
    EMPTY: "{0} = '{{}}'",
    NULL: "false",
}
_IS_LONG = f"abs(try_cast({{0}} as hugeint)) > {LONG_INTEGER}"
# What the JSON texts of a leaf's values tell beyond the type that `json_structure` names, as the
# number of the type below. Integers come as their digits, however many.
_TOLD_BY_VALUES = {
    MIXED: "cast(bool_or(cast({0} as varchar) <> '{{}}') as integer)",
    BIGINT: f"""max(case when {{0}} is null or strlen({{0}}) <= 15 then 0
        when try_cast({{0}} as bigint) is null then 2 when {_IS_LONG} then 1 else 0 end)""",
    DOUBLE: f"""cast(bool_or(strlen({{0}}) > 15 and regexp_full_match({{0}}, '-?[0-9]+')
        and coalesce({_IS_LONG}, true)) as integer)""",
}
_NARROWED = {MIXED: [EMPTY, TEXT], BIGINT: [BIGINT, LONG, TEXT], DOUBLE: [DOUBLE, TEXT]}


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
    known = [set(_at(shape, path)) for path in objects(shape)]
    for keys in keys_of(connection, lines, shape):
        for names, of_object in zip(keys, known, strict=True):
            if names is not None and not (
                names and len(set(names)) == len(names) and of_object.issuperset(names)
            ):
                return False
    checked = [(path, kind) for path, kind in leaves(shape) if kind in _IS_OF_TYPE]
    if not checked:
        return True
    columns = [Column(f"c{at}", path, "JSON") for at, (path, _) in enumerate(checked)]
    parsed, selected = select_list(columns)
    is_of_type = " and ".join(
        f"({column.name} is null or {_IS_OF_TYPE[kind].format(column.name)})"
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


def with_values(connection: duckdb.DuckDBPyConnection, lines: pa.Table, structure: Shape) -> Shape:
    """Return the structure of the lines with the types that only their values tell."""
    unsure = [(path, kind) for path, kind in leaves(structure) if kind in _TOLD_BY_VALUES]
    if not unsure:
        return structure
    connection.register("lines", lines)
    columns = [Column(f"c{at}", path, "JSON") for at, (path, _) in enumerate(unsure)]
    parsed, selected = select_list(columns)
    tests = ", ".join(
        _TOLD_BY_VALUES[kind].format(column.name)
        for column, (_, kind) in zip(columns, unsure, strict=True)
    )
    found = connection.execute(
        f"select {tests} from (select {selected} from (select line, {parsed} as s from lines))"
    ).fetchall()[0]
    types = {
        path: _NARROWED[kind][told or 0] for (path, kind), told in zip(unsure, found, strict=True)
    }
    return with_leaves(structure, lambda path, kind: types.get(path, kind))
