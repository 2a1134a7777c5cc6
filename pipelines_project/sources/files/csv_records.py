"""The records of a CSV file one by one: which are rows, and which are none and why.

DuckDB reads whole files; this is for those where a line is no row. A record ends with a line's end
that is in no quotes. A quote that is never closed spoils its own line only.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from pipelines_project.sources.files.settings import CsvDialect

MAX_RECORD_BYTES = 16 << 20
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\n\v\f\r"


class Record(NamedTuple):
    """A record: the number of its first line, its bytes, and why it is no row; empty if it is."""

    line: int
    data: bytes
    reason: str


class RecordReader:
    """Reads files whose rows have so many fields."""

    def __init__(self, dialect: CsvDialect, width: int) -> None:
        """Take note of how a row is written."""
        self._separator, self._quote = dialect.separator.encode(), dialect.quote.encode()
        self._width = width

    def records(self, path: Path, skipped: int) -> Iterator[Record]:
        """Yield the records of a file, except for so many that it begins with, and blank lines."""
        with path.open("rb") as stream:
            lines = enumerate(_lines(stream), 1)
            waiting: deque[tuple[int, bytes]] = deque()
            while True:
                number, line = waiting.popleft() if waiting else next(lines, (0, b""))
                if not number:
                    return
                record = self._record(number, line, lines, waiting)
                if skipped:
                    skipped -= 1
                elif record.data.strip(_SPACE if self._width > 1 else b""):
                    yield record

    def header(self, path: Path, skipped: int) -> list[str]:
        """Return the fields of the first record, none if there is no record."""
        first = next(self.records(path, skipped), None)
        return self.fields(first.data) if first else []

    def fields(self, data: bytes) -> list[str]:
        """Return the fields of a record as texts."""
        quote = self._quote.decode()
        found = [match[1].decode("utf-8", "backslashreplace") for match in self._field(data)]
        return [
            text.strip(" ")[1:-1].replace(quote * 2, quote)
            if text.strip(" ").startswith(quote)
            else text
            for text in found
        ]

    def _field(self, data: bytes) -> Iterator[re.Match[bytes]]:
        return self._each_field.finditer(data)

    @cached_property
    def _each_field(self) -> re.Pattern[bytes]:
        return re.compile(rb"(?:\A|%b)(%b)" % (re.escape(self._separator), self._any_field))

    @cached_property
    def _any_field(self) -> bytes:
        quote, separator = re.escape(self._quote), re.escape(self._separator)
        quoted = rb" *%b(?:[^%b]++|%b%b)*+%b *" % (quote, quote, quote, quote, quote)
        plain = rb"(?! *%b)[^%b\r\n]*+" % (quote, separator)
        return rb"(?:%b|%b)" % (quoted, plain)

    @cached_property
    def _whole(self) -> re.Pattern[bytes]:
        """A record of any number of fields."""
        separator = re.escape(self._separator)
        return re.compile(rb"%b(?:%b%b)*+" % (self._any_field, separator, self._any_field))

    @cached_property
    def _row(self) -> re.Pattern[bytes]:
        """A record with as many fields as a row has."""
        parts = (self._any_field, re.escape(self._separator), self._any_field, self._width - 1)
        return re.compile(rb"%b(?:%b%b){%d}" % parts)

    @cached_property
    def _open(self) -> re.Pattern[bytes]:
        """A record whose last field begins with a quote that is not closed."""
        quote, separator = re.escape(self._quote), re.escape(self._separator)
        inside = rb" *%b(?:[^%b]++|%b%b)*+" % (quote, quote, quote, quote)
        return re.compile(rb"(?:%b%b)*+%b" % (self._any_field, separator, inside))

    def _record(
        self,
        number: int,
        line: bytes,
        lines: Iterator[tuple[int, bytes]],
        waiting: deque[tuple[int, bytes]],
    ) -> Record:
        """Return the record that begins with a line; lines that it does not need go back."""
        if self._quote not in line:
            data = line.removesuffix(b"\n").removesuffix(b"\r")
            fields = data.count(self._separator) + 1
            reason = "a carriage return inside a line" if b"\r" in data else ""
            return Record(number, data, reason or self._misfit(data, fields))
        data = _ended(line)
        if self._row.fullmatch(data):
            return Record(number, data, self._misfit(data, self._width))
        taken = self._continued(line, lines, waiting)
        data = _ended(b"".join([line, *(each for _, each in taken)]))
        if not self._whole.fullmatch(data):
            waiting.extendleft(reversed(taken))
            is_open = not taken and self._open.fullmatch(data)
            reason = "a quote that is not closed" if is_open else "something beside a quoted field"
            return Record(number, _ended(line), reason)
        return Record(number, data, self._misfit(data, sum(1 for _ in self._field(data))))

    def _continued(
        self,
        line: bytes,
        lines: Iterator[tuple[int, bytes]],
        waiting: deque[tuple[int, bytes]],
    ) -> list[tuple[int, bytes]]:
        """Return the lines over which an open quote goes on; none if it is never closed."""
        taken: list[tuple[int, bytes]] = []
        while self._open.fullmatch(b"".join([line, *(each for _, each in taken)])):
            more = self._up_to_quote(lines, waiting)
            taken += more
            if not more or self._quote not in more[-1][1]:
                waiting.extendleft(reversed(taken))
                return []
        return taken

    def _up_to_quote(
        self, lines: Iterator[tuple[int, bytes]], waiting: deque[tuple[int, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Return the next lines up to one with a quote, or up to the most that a record has."""
        taken: list[tuple[int, bytes]] = []
        size = 0
        while size <= MAX_RECORD_BYTES:
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            taken.append(following)
            size += len(following[1])
            if self._quote in following[1]:
                break
        return taken

    def _misfit(self, data: bytes, fields: int) -> str:
        """Return why a record is no row; an empty field too many at its end is left out."""
        if fields != self._width and not (
            fields == self._width + 1 and data.endswith(self._separator)
        ):
            return f"{fields} fields, not {self._width}"
        if len(data) > MAX_RECORD_BYTES:
            return f"more than {MAX_RECORD_BYTES} bytes"
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return f"not UTF-8: {error.reason} at byte {error.start + 1}"
        return ""


def _ended(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file; they end with CR in one that begins without any LF."""
    first = stream.read(1 << 20)
    stream.seek(len(_BOM) if first.startswith(_BOM) else 0)
    if b"\n" in first or b"\r" not in first:
        yield from stream
        return
    rest = b""
    while data := stream.read(1 << 20):
        *whole, rest = (rest + data).split(b"\r")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest
