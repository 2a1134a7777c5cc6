"""The lines of raw files as Arrow blocks, each line with its file and its true number.

A line ends with LF or CRLF, or with CR in a file that begins without any LF. What is only
white space is no line, but counts in the numbers of those after it. A byte order mark at a file's
start is no part of a line.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute

from pipelines_project.sources.files.raw_files import RawFile, RawFolder
from pipelines_project.sources.http.api_calls import SourceError

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

BLOCK_BYTES = 4 << 20
# The first blocks are small: what they are like is found out from the ground up.
_SMALL_BLOCKS = 4
# What a few compressed bytes can make of a line; it is held whole.
MAX_LINE_BYTES = 256 << 20
# Python follows a shape by recursion, up to 1,000 levels; DuckDB does too, and from some 50,000
# levels on it takes the whole process with it.
MAX_NESTING = 500

_BOM = b"\xef\xbb\xbf"
_COMPRESSION = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_NO_BRACKETS = bytes({*range(256)} - {*b'[]{}"\n'})
_STRING = re.compile(b'"[^"\n]*"')


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


def read_blocks(folder: RawFolder, files: Sequence[RawFile]) -> Iterator[Block]:
    """Yield the files' lines in blocks, of the size and with the errors of `read_pieces`."""
    return map(block_of, read_pieces(folder, files))


def read_pieces(folder: RawFolder, files: Sequence[RawFile]) -> Iterator[list[Piece]]:
    """Yield what makes a block of about `BLOCK_BYTES`, or of one line if that is larger.

    Raises:
        OSError: a file is gone, or its compressed data is cut off or damaged; it names the file.
        SourceError: a line is longer than `MAX_LINE_BYTES`; it names the file.
    """
    pieces: list[Piece] = []
    blocks = size = 0
    for index, file in enumerate(files):
        number = 1
        for data in _chunks(folder, file):
            while data:
                most = BLOCK_BYTES if blocks >= _SMALL_BLOCKS else BLOCK_BYTES // 16
                end = data.find(b"\n", most - 1) + 1 or len(data)
                pieces.append(Piece(index, number, data[:end]))
                number += data.count(b"\n", 0, end)
                size += end
                data = data[end:]
                if size >= most:
                    yield pieces
                    pieces, size, blocks = [], 0, blocks + 1
    if pieces:
        yield pieces


def block_of(pieces: Sequence[Piece]) -> Block:
    """Return the block of the pieces' lines."""
    parts = [_block(*piece) for piece in pieces]
    return Block(pa.concat_tables([p.lines for p in parts]), [bad for p in parts for bad in p.bad])


def _chunks(folder: RawFolder, file: RawFile) -> Iterator[bytes]:
    """Yield a file's bytes in pieces that end where a line ends."""
    with _opened(folder, file) as stream:
        data = stream.read(BLOCK_BYTES).removeprefix(_BOM)
        ends_with_cr = b"\r" in data and b"\n" not in data
        parts: list[bytes] = []
        while data:
            if b"\r" in data:
                data = data.replace(b"\r\n", b"\n")
            if ends_with_cr:
                data = data.replace(b"\r", b"\n")
            end = data.rfind(b"\n") + 1
            if end:
                yield b"".join([*parts, data[:end]])
                parts = []
            parts.append(data[end:])
            if sum(map(len, parts)) > MAX_LINE_BYTES:
                raise SourceError(f"{file.path} has a line of more than {MAX_LINE_BYTES} bytes")
            data = stream.read(BLOCK_BYTES)
    if rest := b"".join(parts):
        yield rest


@contextmanager
def _opened(folder: RawFolder, file: RawFile) -> Iterator[IO[bytes] | pa.NativeFile]:
    """Give the file's bytes, decompressed by what its name ends with."""
    compression = next((c for end, c in _COMPRESSION.items() if file.path.endswith(end)), None)
    try:
        with folder.fs.open(folder.full_path(file), "rb") as raw:
            if compression is None:
                yield raw
            else:
                with pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression) as stream:
                    yield stream
    except OSError as error:
        raise OSError(f"cannot read {file.path}: {error}") from error


def _block(index: int, first: int, data: bytes) -> Block:
    """Return the lines of one piece of a file as a block."""
    lines = _split(data)
    numbers = pa.array(range(first, first + len(lines)), pa.int64())
    bad: list[BadLine] = []
    try:
        text = lines.cast(pa.large_string())
    except pa.ArrowInvalid:
        texts, bad = _decoded(index, first, lines)
        text = pa.array(texts, pa.large_string())
    files = pa.repeat(pa.scalar(index, pa.int32()), len(lines))
    table = pa.table({"file": files, "number": numbers, "line": text})
    # Almost every line is seen at its first character not to be blank.
    if not pc.all(pc.starts_with(text, "{"), skip_nulls=False).as_py():
        is_blank = pc.or_(pc.equal(pc.binary_length(text), 0), pc.ascii_is_space(text))
        table = table.filter(pc.fill_null(pc.invert(is_blank), False))
    if _may_be_too_deep(data) and (deep := too_deep(table["line"].combine_chunks())):
        bad += [
            BadLine(index, line["number"], _DEEP, line["line"].encode())
            for line in table.take(deep).to_pylist()
        ]
        table = table.filter(
            pc.invert(pc.is_in(pa.array(range(len(table)), pa.int64()), pa.array(deep, pa.int64())))
        )
    return Block(table, bad)


def _split(data: bytes) -> pa.Array:
    """Return the lines, which end with LF, without copying the bytes first."""
    end = len(data) - data.endswith(b"\n")
    whole = pa.Array.from_buffers(
        pa.large_binary(), 1, [None, pa.py_buffer(struct.pack("=qq", 0, end)), pa.py_buffer(data)]
    )
    return pc.call_function("split_pattern", [whole], pc.SplitPatternOptions(b"\n")).flatten()


_DEEP = f"nested more than {MAX_NESTING} levels deep"


def _decoded(index: int, first: int, lines: pa.Array) -> tuple[list[str | None], list[BadLine]]:
    """Return each line as text, None where it is not UTF-8, and those as bad lines."""
    texts: list[str | None] = []
    bad = []
    for number, line in enumerate(lines.to_pylist(), first):
        try:
            texts.append(line.decode())
        except UnicodeDecodeError as error:
            texts.append(None)
            reason = f"not UTF-8: {error.reason} at byte {error.start + 1}"
            bad.append(BadLine(index, number, reason, line))
    return texts, bad


def too_deep(text: pa.Array) -> list[int]:
    """Return the positions of the lines with more than `MAX_NESTING` levels."""
    # A level is two bytes, so short lines need no look.
    if not (pc.max(pc.binary_length(text)).as_py() or 0) > 2 * MAX_NESTING:
        return []
    opened = pc.add(pc.count_substring(text, "["), pc.count_substring(text, "{"))
    suspects = pc.indices_nonzero(pc.fill_null(pc.greater(opened, MAX_NESTING), False))
    return [at for at in suspects.to_pylist() if _is_too_deep(text[at].as_py().encode())]


def _may_be_too_deep(lines: bytes) -> bool:
    """Tell whether any of the lines may be too deep; surely not if the brackets of all match."""
    left = _brackets(lines)
    # Levels go away from the innermost one on.
    for _ in range(MAX_NESTING):
        if not left:
            return False
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return True


def _is_too_deep(line: bytes) -> bool:
    if not _may_be_too_deep(line):
        return False
    depth = deepest = 0
    for bracket in _brackets(line).replace(b'"', b""):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING


def _brackets(lines: bytes) -> bytes:
    """Return the brackets outside of strings, and the quotes of strings that do not end."""
    if b"\\" in lines:
        lines = lines.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = lines.translate(None, _NO_BRACKETS).replace(b'""', b"")
    return _STRING.sub(b"", left).replace(b"\n", b"")
