"""The lines of raw files as Arrow blocks, each line with its file and its true number.

A line ends with LF. What is only white space is no line, but counts in the numbers of those after
it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute

from pipelines_project.sources.json.nesting import TOO_DEEP, too_deep

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute


class BadLine(NamedTuple):
    """A line that does not land: its file's index, its number, why not, and what it is."""

    file: int
    number: int
    reason: str
    line: bytes


class Piece(NamedTuple):
    """Whole lines of a file: its index in the list of files, the first line's number, the bytes."""

    file: int
    first: int
    data: bytes


@dataclass(frozen=True)
class Block:
    """Some lines, of one file or of several small ones.

    Attributes:
        lines: columns `file` (index in the list of files), `number` (from 1) and `line`, in the
            files' order; every line is UTF-8 and not blank.
        bad: the lines that are not UTF-8 or too deeply nested.
    """

    lines: pa.Table
    bad: list[BadLine]


def block_of(pieces: Sequence[Piece]) -> Block:
    """Return the block of the pieces' lines."""
    parts = [_block(*piece) for piece in pieces]
    return Block(pa.concat_tables([p.lines for p in parts]), [bad for p in parts for bad in p.bad])


def _block(index: int, first: int, data: bytes) -> Block:
    """Return the lines of one piece of a file as a block."""
    lines = split_lines(data)
    numbers = pa.array(range(first, first + len(lines)), pa.int64())
    bad: list[BadLine] = []
    try:
        text = lines.cast(pa.large_string())
    except pa.ArrowInvalid:
        texts, bad = _decoded(index, first, lines)
        text = pa.array(texts, pa.large_string())
    files = pa.repeat(pa.scalar(index, pa.int32()), len(lines))
    columns: Any = {"file": files, "number": numbers, "line": text}
    table = pa.Table.from_pydict(columns)
    # Almost every line is seen at its first character not to be blank.
    if not pc.all(pc.starts_with(text, "{"), skip_nulls=False).as_py():
        is_blank = pc.or_(pc.equal(pc.binary_length(text), 0), pc.ascii_is_space(text))
        table = table.filter(pc.fill_null(pc.invert(is_blank), False))
    if deep := too_deep(table["line"], data):
        bad += [
            BadLine(index, line["number"], TOO_DEEP, line["line"].encode())
            for line in table.take(deep).to_pylist()
        ]
        table = table.filter(
            pc.invert(pc.is_in(pa.array(range(len(table)), pa.int64()), pa.array(deep, pa.int64())))
        )
    return Block(table, bad)


def split_lines(data: bytes) -> "pa.Array[Any]":
    """Return the lines, which end with LF, without copying the bytes first."""
    end = len(data) - data.endswith(b"\n")
    whole = pa.Array.from_buffers(
        pa.large_binary(), 1, [None, pa.py_buffer(struct.pack("=qq", 0, end)), pa.py_buffer(data)]
    )
    return pc.call_function("split_pattern", [whole], pc.SplitPatternOptions(b"\n")).flatten()


def _decoded(
    index: int, first: int, lines: "pa.Array[Any]"
) -> tuple[list[str | None], list[BadLine]]:
    """Return each line as text, None where it is not UTF-8, and those as bad lines."""
    texts: list[str | None] = []
    bad: list[BadLine] = []
    found: list[Any] = lines.to_pylist()
    for number, line in enumerate(found, first):
        try:
            texts.append(line.decode())
        except UnicodeDecodeError as error:
            texts.append(None)
            reason = f"not UTF-8: {error.reason} at byte {error.start + 1}"
            bad.append(BadLine(index, number, reason, line))
    return texts, bad
