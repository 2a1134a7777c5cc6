"""One block of lines: which are objects that land, of what shape, and why the others do not."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute

from pipelines_project.sources.json.exact_numbers import with_exact_numbers
from pipelines_project.sources.json.inference import (
    has_shape,
    key_lists,
    keys_of,
    structure_of,
    with_values,
)
from pipelines_project.sources.json.raw_lines import BadLine, Block
from pipelines_project.sources.json.shape import Shape

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

_WHY = re.compile(r"Malformed JSON (at byte \d+) of input: (.*?)\.?\s+Input:", re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """One way to break the contract: what it is, and the SQL condition on `line` that tells it."""

    text: str
    broken_if: str


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
    connection: duckdb.DuckDBPyConnection,
    block: Block,
    rules: Sequence[Rule] = (),
    known: Callable[[], Shape] = dict,
) -> SortedLines:
    """Return which of the block's lines land; every one is parsed.

    Args:
        connection: any DuckDB connection.
        block: the lines.
        rules: of the contract; a line that breaks one does not land.
        known: gives the shape of lines seen before, which is quicker to find again.
    """
    shape = known()
    lines, changed = exact_lines(connection, block.lines)
    if not rules and _have_shape(connection, lines, shape):
        return SortedLines(lines, shape, block.bad, as_read=not block.bad and not changed)
    raw, malformed = _malformed(connection, block.lines)
    lines, changed = exact_lines(connection, raw)
    lines, broken = _against_contract(connection, lines, raw, rules)
    twice: list[BadLine] = []
    if not (malformed or broken) or not _have_shape(connection, lines, shape):
        structure = structure_of(connection, lines)
        twice = _with_double_keys(connection, lines, structure)
        if twice:
            lines = _without(lines, twice)
            structure = structure_of(connection, lines)
        shape = with_values(connection, lines, structure)
    bad = sorted([*block.bad, *malformed, *broken, *twice])
    return SortedLines(lines, shape, bad, as_read=not bad and not changed)


def exact_lines(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> tuple[pa.Table, bool]:
    """Return lines as they are read, in which every number keeps its digits, and if any changed."""
    numbers = with_exact_numbers(connection, lines["line"].combine_chunks())
    if not numbers.changed:
        return lines, False
    return lines.set_column(lines.schema.get_field_index("line"), "line", numbers.lines), True


def _have_shape(connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape) -> bool:
    try:
        return bool(shape) and has_shape(connection, lines, shape)
    except (duckdb.InvalidInputException, UnicodeDecodeError):
        # The latter is a message that quotes a line, cut within a character.
        return False


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
        said = str(error)
    except UnicodeDecodeError as error:
        # DuckDB's message quotes the line up to some byte, be it within a character.
        said = error.object.decode(errors="replace")
    else:
        return f"a JSON {kind.lower()}, not an object"
    match = _WHY.search(said)
    return f"{match[2]} {match[1]}" if match else said.splitlines()[0]


def _against_contract(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, raw: pa.Table, rules: Sequence[Rule]
) -> tuple[pa.Table, list[BadLine]]:
    """Return the lines that keep the contract, and the others, as they were, as bad lines."""
    if not rules:
        return lines, []
    connection.register("lines", lines.add_column(0, "position", pa.array(range(len(lines)))))
    cases = " ".join(f"when {rule.broken_if} then {i}" for i, rule in enumerate(rules))
    found: list[tuple[int, int]] = connection.execute(
        f"select position, rule from (select position, case {cases} end as rule from lines) "
        "where rule is not null order by position"
    ).fetchall()
    at: Any = pa.array([position for position, _ in found], pa.int64())
    before: list[Any] = raw.take(at).to_pylist()
    texts = [rules[rule].text for _, rule in found]
    bad = [
        BadLine(line["file"], line["number"], text, line["line"].encode())
        for line, text in zip(before, texts, strict=True)
    ]
    return (_without(lines, bad) if bad else lines), bad


def _with_double_keys(
    connection: duckdb.DuckDBPyConnection, lines: pa.Table, shape: Shape
) -> list[BadLine]:
    """Return the lines in which an object that becomes columns has a key twice, or one with NUL."""
    if not len(lines):
        return []
    wrong = [keys for keys in keys_of(connection, lines, shape) if _key_fault(keys)]
    if not wrong:
        return []
    found = connection.execute(
        f"select file, number, line, {key_lists(shape)} as keys from lines "
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
