"""From the shape of a month's lines to its columns: names, types, and the SQL that fills them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames, assigned
from pipelines_project.sources.column_origin import origin
from pipelines_project.sources.json.shape import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    EMPTY,
    LONG,
    NULL,
    TEXT,
    Path,
    Shape,
    flattened,
    leaves,
    pointer_literal,
)
from pipelines_project.sql_text import literal, quoted

_BATCH_ROWS = 2_048

_ARROW = {
    BOOLEAN: pa.bool_(),
    BIGINT: pa.int64(),
    DOUBLE: pa.float64(),
    TEXT: pa.large_string(),
}
_COLUMN_TYPES = {EMPTY: TEXT, LONG: BIGINT, NULL: TEXT}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: what it is called.
        path: the keys that lead to its values.
        type: its DuckDB type.
        is_vacant: whether every value is null or an object without keys.
    """

    name: str
    path: Path
    type: str
    is_vacant: bool = False

    @property
    def field(self) -> "pa.Field[Any]":
        """The column in an Arrow schema, whose metadata says where its values were."""
        return pa.field(self.name, _ARROW[self.type], metadata=origin(self.path))


def columns_of(
    shape: Shape,
    naming: NamingConvention,
    reserved: Iterable[str],
    column_names: ColumnNames = NONE_CHOSEN,
) -> list[Column]:
    """Return a column for every leaf, named as dlt names it, in the order of the shape.

    Args:
        shape: of the month's lines, an object.
        naming: dlt's naming convention.
        reserved: names that are taken already.
        column_names: those that the settings choose.

    Raises:
        SourceError: the settings choose a name that another column has.
    """
    found = dict(leaves(flattened(shape)))
    found.pop((), None)
    plain = {path: _plain_name(path, naming) for path in found}
    names = assigned(plain, naming, set(reserved), column_names)
    return [
        Column(names[path], path, _COLUMN_TYPES.get(kind, kind), kind in (NULL, EMPTY))
        for path, kind in found.items()
    ]


def _plain_name(path: Path, naming: NamingConvention) -> str:
    """Return the name that dlt gives a path."""
    return naming.normalize_path(naming.make_path(*(_key_name(key, naming) for key in path)))


def _key_name(key: str, naming: NamingConvention) -> str:
    """Return the name of one key; a key without any character has none of its own."""
    return naming.normalize_identifier(key) if key.strip() else "empty"


def values(
    connection: duckdb.DuckDBPyConnection,
    lines: pa.Table,
    columns: Sequence[Column],
    own: Sequence[str] = (),
) -> list["pa.Array[Any]"]:
    """Return the values of columns of `lines`, then what is at the paths of `columns` in each line.

    The lines are parsed once, into one struct, which Arrow takes apart: a query that names
    hundreds of columns takes DuckDB longer to plan than to answer.
    """
    structure: dict[str, Any] = {}
    apart: list[Column] = []
    for column in columns:
        if _fits(structure, column.path):
            _insert(structure, column.path, column.type)
        else:
            apart.append(column)
    parsed = [f"from_json(line, {literal(json.dumps(structure))})"] if structure else []
    selected = ", ".join([*map(quoted, own), *parsed, *map(_extracted, apart)])
    connection.register("lines", lines)
    answer = connection.execute(f"select {selected or 'null'} from lines")
    # Put together by Arrow: what DuckDB allocates is then freed here, by the thread that took it.
    table = answer.to_arrow_reader(_BATCH_ROWS).read_all()
    found = [column.combine_chunks() for column in table.columns]
    by_path = {column.path: found[len(own) + len(parsed) + at] for at, column in enumerate(apart)}
    if structure:
        by_path |= leaves_of(found[len(own)])
    return [*found[: len(own)], *(by_path[column.path] for column in columns)]


def leaves_of(array: Any, path: Path = ()) -> dict[Path, "pa.Array[Any]"]:
    """Return the values of every field within an array of structs that is none itself."""
    if not pa.types.is_struct(array.type):
        return {path: array}
    found: dict[Path, pa.Array[Any]] = {}
    fields: Any = array.type
    names: list[str] = [field.name for field in fields]
    for name, inner in zip(names, array.flatten(), strict=True):
        found |= leaves_of(inner, (*path, name))
    return found


def _extracted(column: Column) -> str:
    """Return the SQL of a column's value as `from_json` would give it."""
    at = pointer_literal(column.path)
    if column.type == "JSON":
        return f"nullif(cast(json_extract(line, {at}) as varchar), 'null')"
    return f"cast(json_extract_string(line, {at}) as {column.type})"


def _fits(structure: dict[str, Any], path: Path) -> bool:
    """Tell whether a struct can have the path: its names ignore case and are not empty."""
    level: Any = structure
    for key in path:
        if not key or any(k != key and k.lower() == key.lower() for k in level):
            return False
        level = level.get(key, {})
    return True


def _insert(structure: dict[str, Any], path: Path, kind: str) -> None:
    *outer, last = path
    for key in outer:
        structure = structure.setdefault(key, {})
    structure[last] = kind


def rows(
    connection: duckdb.DuckDBPyConnection,
    lines: pa.Table,
    columns: Sequence[Column],
    schema: pa.Schema,
) -> pa.Table:
    """Return the lines as rows; columns of `lines` that the schema adds are handed through."""
    of_lines = {column.name for column in columns}
    own = [name for name in schema.names if name not in of_lines]
    return pa.Table.from_arrays(values(connection, lines, columns, own), schema.names).cast(schema)
