"""The bytes of a month's files in pieces of whole lines.

A line ends with LF or CRLF, or with CR in a file that begins without any LF. A byte order mark at a
file's start is no part of a line.
"""

from collections.abc import Iterator, Sequence

from pipelines_project.sources.files.local_copy import opened
from pipelines_project.sources.files.raw_files import RawFile, RawFolder
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.raw_lines import Block, Piece, block_of

BLOCK_BYTES = 4 << 20
# The first blocks are small: what they are like is found out from the ground up.
_SMALL_BLOCKS = 4
# What a few compressed bytes can make of a line; it is held whole.
MAX_LINE_BYTES = 256 << 20

_BOM = b"\xef\xbb\xbf"


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


def _chunks(folder: RawFolder, file: RawFile) -> Iterator[bytes]:
    """Yield a file's bytes in pieces that end where a line ends."""
    with opened(folder, file) as stream:
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
