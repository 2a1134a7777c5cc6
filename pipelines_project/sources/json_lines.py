"""One block of lines: which are JSON objects that land, of what shape, and why the others do not."""

import re
from collections.abc import Sequence
from functools import cache, partial, reduce
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines_project.sources.exact_numbers import LONG_INTEGER, with_exact_numbers
from pipelines_project.sources.json_columns import Column, select_list
from pipelines_project.sources.json_shape import (
    BIGINT,
    DOUBLE,
    EMPTY,
    LONG,
    MIXED,
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
from pipelines_project.sources.raw_lines import BadLine, Block
from pipelines_project.sources.schema_contract import Rule

_LINES_PER_ARRAY = 1024
_WHY = re.compile(r"Malformed JSON (at byte \d+) of input: (.*?)\.?\s+Input:", re.DOTALL)


class SortedLines(NamedTuple):
    """A block's lines, sorted into those that land and those that do not.

    Attributes:
        landing: the lines that land, with exact numbers.
        shape: of these.
        bad: the other lines, in order.
        as_read: whether the block's lines all land, just as they were read.
    """

    landing: pa.Table
    shape: Shape
    bad: list[BadLine]
    as_read: bool


def sorted_lines(
    connection: duckdb.DuckDBPyConnection, block: Block, rules: Sequence[Rule]
) -> SortedLines:
    """Return which of the block's lines land; every one is parsed."""
    raw, malformed = _malformed(connection, block.lines)
    numbers = with_exact_numbers(connection, raw["line"].combine_chunks())
    at = raw.schema.get_field_index("line")
    lines = raw.set_column(at, "line", numbers.lines) if numbers.changed else raw
    lines, broken = _against_contract(connection, lines, raw, rules)
    shape = _shape(connection, lines, numbers.has_long)
    twice = _with_double_keys(connection, lines, shape)
    if twice:
        lines = _without(lines, twice)
        shape = _shape(connection, lines, numbers.has_long)
    bad = sorted([*block.bad, *malformed, *broken, *twice])
    return SortedLines(lines, shape, bad, as_read=not bad and not numbers.changed)


def rows(
    connection: duckdb.DuckDBPyConnection,
    lines: pa.Table,
    columns: Sequence[Column],
    schema: pa.Schema,
) -> pa.Table:
    """Return the lines as rows; columns of `lines` that the schema names are handed through."""
    structure, selected = select_list(columns)
    own = ", ".join(name for name in schema.names if name in lines.schema.names)
    connection.register("lines", lines)
    parsed = connection.execute(
        f"select {', '.join(filter(None, [own, selected]))} "
        f"from (select *, from_json(line, {structure}) as s from lines)"
    )
    return parsed.to_arrow_table().cast(schema)


def _malformed(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table
) -> tuple[pa.Table, list[BadLine]]:
    """Return the lines that are one JSON object each, and the others as bad lines."""
    connection.register("lines", lines)
    found = connection.execute(
        r"""select file, number, line from lines
            where not json_valid(line) or not starts_with(ltrim(line, E' \t\r'), '{')"""
    ).fetchall()
    bad = [BadLine(f, n, _why_malformed(connection, line), line.encode()) for f, n, line in found]
    return (_without(lines, bad) if bad else lines), bad


def _why_malformed(connection: duckdb.DuckDBPyConnection, line: str) -> str:
    try:
        kind = connection.execute("select json_type($line)", {"line": line}).fetchall()[0][0]
    except duckdb.Error as error:
        match = _WHY.search(str(error))
        return f"{match[2]} {match[1]}" if match else str(error).splitlines()[0]
    return f"a JSON {kind.lower()}, not an object"


def _against_contract(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, raw: pa.Table, rules: Sequence[Rule]
) -> tuple[pa.Table, list[BadLine]]:
    """Return the lines that keep the contract, and the others, as they were, as bad lines."""
    if not rules:
        return lines, []
    connection.register("lines", lines.add_column(0, "position", pa.array(range(len(lines)))))
    cases = " ".join(f"when {rule.broken_if} then {i}" for i, rule in enumerate(rules))
    found = connection.execute(
        f"select position, rule from (select position, case {cases} end as rule from lines) "
        "where rule is not null order by position"
    ).fetchall()
    before = raw.take(pa.array([at for at, _ in found], pa.int64())).to_pylist()
    bad = [
        BadLine(line["file"], line["number"], rules[rule].text, line["line"].encode())
        for line, (_, rule) in zip(before, found, strict=True)
    ]
    return (_without(lines, bad) if bad else lines), bad


def _shape(
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


def _unmixed(connection: duckdb.DuckDBPyConnection, path: Path, kind: str) -> str:
    """Return the type, and for mixed ones whether they are only objects without keys or more."""
    if kind != MIXED or not path:
        return kind
    query = f"select distinct json_type(line, {pointer_literal(path)}) from lines"
    kinds = {row[0] for row in connection.execute(query).fetchall()}
    return EMPTY if kinds <= {"OBJECT", "NULL", None} else TEXT


def _with_long(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape
) -> Shape:
    """Return the shape with `LONG` for integers that a double would change."""
    numeric = [(path, kind) for path, kind in leaves(shape) if kind in (BIGINT, DOUBLE)]
    if not numeric:
        return shape
    columns = [Column(f"c{at}", path, TEXT) for at, (path, _) in enumerate(numeric)]
    structure, selected = select_list(columns)
    is_long = ", ".join(
        f"bool_or(abs(try_cast(nullif(regexp_extract({c.name}, '^-?[0-9]+$'), '') as hugeint))"
        f" > {LONG_INTEGER})"
        for c in columns
    )
    found = connection.execute(
        f"select {is_long} from (select {selected} "
        f"from (select line, from_json(line, {structure}) as s from lines))"
    ).fetchall()[0]
    long = {path: kind for (path, kind), is_it in zip(numeric, found, strict=True) if is_it}

    def change(path: Path, kind: str) -> Shape:
        return {BIGINT: LONG, DOUBLE: TEXT}[long[path]] if path in long else kind

    return with_leaves(shape, change)


def _with_double_keys(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape
) -> list[BadLine]:
    """Return the lines in which an object that becomes columns has a key twice, or one with NUL."""
    if not len(lines):
        return []
    pointers = ", ".join(pointer_literal(path) for path in objects(shape))
    connection.register("lines", lines)
    query = f"select distinct json_keys(line, [{pointers}]) from lines"
    wrong = [keys for (keys,) in connection.execute(query).fetchall() if _key_fault(keys)]
    if not wrong:
        return []
    found = connection.execute(
        f"select file, number, line, json_keys(line, [{pointers}]) as keys from lines "
        "where list_contains($wrong, keys)",
        {"wrong": wrong},
    ).fetchall()
    return [BadLine(f, n, _key_fault(keys), line.encode()) for f, n, line, keys in found]


def _key_fault(keys: list[list[str] | None]) -> str:
    """Return what is wrong with the keys of a line's objects, or "" if nothing is."""
    for names in keys:
        names = names or []
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            return f"the key {twice!r} is there twice in one object"
        if nul := next((name for name in names if "\0" in name), None):
            return f"the key {nul!r} holds a NUL character"
    return ""


def _without(lines: pa.Table, bad: Sequence[BadLine]) -> pa.Table:
    """Return the lines that are not among the bad ones."""
    connection_key = pc.add(pc.multiply(lines["file"].cast(pa.int64()), 1 << 40), lines["number"])
    gone = pa.array([(line.file << 40) + line.number for line in bad], pa.int64())
    return lines.filter(pc.invert(pc.is_in(connection_key, gone)))
