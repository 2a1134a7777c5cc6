"""The lines and rows of a month that do not land: what is said of them, and their table."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.json.raw_lines import BadLine

_SHOWN = 5
_SCHEMA = pa.schema(
    [
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("line", pa.large_string(), nullable=False),
        # What the line is if it is not UTF-8; `line` then shows such bytes as \xNN.
        pa.field("line_bytes", pa.large_binary()),
    ]
)


class Refused:
    """The first lines of a month that do not land, and how many there are in all."""

    def __init__(self, files: Sequence[RawFile]) -> None:
        """Begin with none."""
        self._files = files
        self._first: list[BadLine] = []
        self.count = 0

    def add(self, lines: Sequence[BadLine]) -> None:
        """Take note of more lines."""
        self._first += lines[: _SHOWN - len(self._first)]
        self.count += len(lines)

    @property
    def first(self) -> Iterator[BadLine]:
        """The first of them."""
        return iter(self._first)

    def __str__(self) -> str:
        """Return where each is and what is wrong with it."""
        more = self.count - len(self._first)
        shown = [place(self._files, line) for line in self._first]
        return "; ".join([*shown, f"and {more} more"] if more else shown)


def place(files: Sequence[RawFile], bad: BadLine) -> str:
    """Return where a line is and what is wrong with it."""
    return f"{files[bad.file].path} line {bad.number}: {bad.reason}"


def quarantined(bad: Iterable[BadLine], files: Sequence[RawFile]) -> pa.Table:
    """Return the lines as rows of the quarantine table."""

    def is_text(line: bytes) -> bool:
        return line.decode(errors="ignore").encode() == line

    return pa.Table.from_pylist(
        [
            {
                "source_file": files[line.file].path,
                "source_line": line.number,
                "reason": line.reason,
                "line": line.line.decode(errors="backslashreplace"),
                "line_bytes": None if is_text(line.line) else line.line,
            }
            for line in bad
        ],
        _SCHEMA,
    )
