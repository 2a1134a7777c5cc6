"""CSV files as parts: read by DuckDB as they are, or record by record if a line is no row."""

import glob
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

import duckdb

from pipelines_project.sources.files.csv_records import MAX_RECORD_BYTES, RecordReader
from pipelines_project.sources.files.local_copy import local_copy
from pipelines_project.sources.files.parts import LINE, Part, Reading, column, struct
from pipelines_project.sources.files.parts import unique as unique_names
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.raw_lines import BadLine
from pipelines_project.sql_text import literal, quoted

_CHUNK_BYTES = 4 << 20
_BUFFER_BYTES = 2 * MAX_RECORD_BYTES
_OTHER_DELIMITERS = ";\t|"


def csv_parts(reading: Reading, files: Sequence[RawFile]) -> list[Part]:
    """Return a part for each file that is not empty.

    Raises:
        OSError: a file is gone, or its compressed data is cut off or damaged; it names the file.
        SourceError: a file is not in its encoding, or has another delimiter; it names the file.
    """
    parts = (_part(reading, index, file) for index, file in enumerate(files))
    return [part for part in parts if part]


def sound_part(reading: Reading, part: Part) -> Part:
    """Return the part as it is if each of its lines is a row, or else one of its good rows.

    Reading a file record by record takes some times as long.
    """
    if len(part.columns) > 1:
        try:
            # A column that is not asked for is not looked at.
            every = ", ".join(f"count({column(at)})" for at in range(len(part.columns)))
            query = f"select count(*), {every} from ({part.unnumbered})"
            found = reading.connection.execute(query).fetchone()
        except duckdb.Error:
            found = None
        if found and found[0] == part.rows:
            return part
    return _mended(reading, part)


def raw_records(reading: Reading, part: Part, lines: Set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the records that begin on some lines, as they are in the file."""
    reader = RecordReader(reading.settings.csv, len(part.columns))
    for record in reader.records(_local(reading, part.index, part.file), _skipped(reading)):
        if record.line in lines:
            yield record.line, record.data


def _part(reading: Reading, index: int, file: RawFile) -> Part | None:
    path = _local(reading, index, file)
    columns = list(reading.settings.csv.columns) or _header(reading, file, path)
    if not columns:
        return None
    names = [column(at) for at in range(len(columns))]
    lines = _lines(path)
    reader = RecordReader(reading.settings.csv, len(columns))
    first = next(reader.records(path, _skipped(reading)), None)
    above = first.line - 1 if first else lines
    return Part(
        index,
        file,
        unique_names(columns),
        ["VARCHAR"] * len(names),
        f"row_number() over () + {above}",
        names,
        _read_csv(reading, path, names, above),
        lines - above,
    )


def _local(reading: Reading, index: int, file: RawFile) -> Path:
    copy = reading.place / f"{index}.csv"
    if copy.exists():
        return copy
    return local_copy(reading.settings.folder, file, copy, reading.settings.csv.encoding)


def _skipped(reading: Reading) -> int:
    """Return how many records a file has before its first row."""
    return reading.settings.start_row - (1 if reading.settings.csv.columns else 0)


def _header(reading: Reading, file: RawFile, path: Path) -> list[str]:
    dialect = reading.settings.csv
    header = RecordReader(dialect, 1).header(path, _skipped(reading) - 1)
    if len(header) == 1 and dialect.delimiter is None:
        for other in _OTHER_DELIMITERS:
            if other in header[0]:
                raise SourceError(
                    f"{file.path} has one column, {header[0][:80]!r}. Nothing was landed: set "
                    f"delimiter to {other!r}, or to ',' if this is one column"
                )
    return header


def _read_csv(
    reading: Reading, path: Path, names: Sequence[str], skipped: int, more: str = ""
) -> str:
    dialect = reading.settings.csv
    types = {name: "BIGINT" if name == LINE else "VARCHAR" for name in names}
    return (
        f"read_csv({literal(glob.escape(str(path)))}, auto_detect = false, header = false, "
        f"skip = {skipped}, delim = {literal(dialect.separator)}, "
        f"quote = {literal(dialect.quote)}, escape = {literal(dialect.quote)}, "
        f"nullstr = [{', '.join(map(literal, dialect.nulls))}], allow_quoted_nulls = false, "
        f"strict_mode = true, compression = 'none', max_line_size = {MAX_RECORD_BYTES}, "
        f"buffer_size = {_BUFFER_BYTES}, columns = {struct(types)}{more})"
    )


def _lines(path: Path) -> int:
    """Return how many lines a file has."""
    count, last = 0, b"\n"
    with path.open("rb") as stream:
        while data := stream.read(_CHUNK_BYTES):
            count += data.count(b"\n")
            last = data[-1:]
    return count + (last != b"\n")


def _mended(reading: Reading, part: Part) -> Part:
    """Return the part of the good records, which are copied with the numbers of their lines."""
    good, bad = reading.place / f"{part.index}.good", reading.place / f"{part.index}.bad"
    separator = reading.settings.csv.separator.encode()
    reader = RecordReader(reading.settings.csv, len(part.columns))
    rows = refused = 0
    with good.open("wb") as rows_file, bad.open("wb") as bad_file:
        for record in reader.records(_local(reading, part.index, part.file), _skipped(reading)):
            if record.reason:
                refused += 1
                about = f"{record.line} {len(record.data)} {record.reason}\n"
                bad_file.write(about.encode() + record.data)
            else:
                rows += 1
                rows_file.write(b"%d%b%b\n" % (record.line, separator, record.data))
    names = [column(at) for at in range(len(part.columns))]
    # DuckDB takes the end of a line inside of the first field in quotes for that of all lines.
    own = r", new_line = '\n'"
    source = _read_csv(reading, good, [LINE, *names], 0, own)

    def bad_lines() -> Iterator[BadLine]:
        with bad.open("rb") as file:
            for about in file:
                line, size, reason = about.decode().rstrip("\n").split(" ", 2)
                yield BadLine(part.index, int(line), reason, file.read(int(size)))

    return replace(
        part,
        number=quoted(LINE),
        source=source,
        rows=rows,
        bad=refused,
        bad_lines=bad_lines,
    )
