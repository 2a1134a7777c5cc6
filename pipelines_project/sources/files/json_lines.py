"""A month of JSON lines files as one dlt resource of Arrow tables.

Data flow:
    files ─▶ blocks of lines ─▶ survey of every line: shape, bad lines ─▶ columns, contract
          └▶ blocks of lines again ───────────────────────────────────▶ rows ─▶ Arrow tables

The files are read twice, because the columns and their types come from every line. Lines that do
not land fail the month, or go to the table `<table>_quarantine` of the same load.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import dlt
import duckdb
import pyarrow as pa
import pyarrow.compute
from dlt.extract import DltResource

from pipelines_project.names import quarantine_table
from pipelines_project.sources.files.line_pieces import read_pieces
from pipelines_project.sources.files.load_facts import load_facts
from pipelines_project.sources.files.month_survey import MonthSurvey, survey_month
from pipelines_project.sources.files.quarantine import quarantined
from pipelines_project.sources.files.raw_files import RawFile, fingerprint
from pipelines_project.sources.files.settings import ID_COLUMN, PROVENANCE, JsonlSettings
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.block_workers import block_workers
from pipelines_project.sources.json.columns import rows
from pipelines_project.sources.json.lines import exact_lines, sorted_lines
from pipelines_project.sources.json.raw_lines import Piece, block_of

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

# A table handed to dlt is a row group of the parquet file.
_ROW_GROUP_ROWS = 122_880
_ROW_GROUP_BYTES = 64 << 20


class _Rows(NamedTuple):
    landed: pa.Table
    quarantined: pa.Table


def json_lines(
    settings: JsonlSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    facts: dict[str, str],
) -> DltResource:
    """Return the resource of the month's rows, and of its bad lines if they are quarantined.

    Each table has the column `_dlt_id`, made of file and line: the same for a line in every load.

    Args:
        settings: of the table.
        month: `YYYY-MM`.
        columns_before: gives the DuckDB type of each column that the table has already, if any.
        facts: gets what the load is made from, while it is read.

    Raises:
        SourceError: while it is read, for what the settings say fails the month, and for files
            that changed while they were read.
    """
    return dlt.resource(_tables(settings, month, columns_before, facts), name=settings.table)


def _tables(
    settings: JsonlSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    facts: dict[str, str],
) -> Iterator[Any]:
    files = settings.folder.files(month)
    naming = dlt.current.source_schema().naming
    with block_workers() as workers:
        found = survey_month(workers, settings, files, naming, columns_before())
        facts |= load_facts(
            files, found.landing + found.quarantined, found.quarantined, found.changes
        )
        schema = _schema(settings, found)
        # So that a month without rows has its columns too.
        yield schema.empty_table()

        def work(
            connection: duckdb.DuckDBPyConnection, block: tuple[int, Sequence[Piece]]
        ) -> _Rows:
            return _rows(connection, settings, files, found, schema, *block)

        blocks = enumerate(read_pieces(settings.folder, files))
        yield from _row_groups(settings, found, workers.map(work, blocks))
    if fingerprint(settings.folder.files(month)) != fingerprint(files):
        raise SourceError(f"the files of {settings.table} {month} changed while they were read")


def _row_groups(
    settings: JsonlSettings, found: MonthSurvey, blocks: Iterator[_Rows]
) -> Iterator[Any]:
    """Yield the blocks' rows in tables of a row group each, and their bad lines."""
    landed = quarantined = size = 0
    waiting: list[pa.Table] = []
    for block in blocks:
        landed += len(block.landed)
        quarantined += len(block.quarantined)
        size += block.landed.nbytes
        waiting.append(block.landed)
        if len(block.quarantined):
            name = quarantine_table(settings.table)
            yield dlt.mark.with_table_name(block.quarantined, name)
        if sum(map(len, waiting)) >= _ROW_GROUP_ROWS or size >= _ROW_GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.concat_tables(waiting)
    if (landed, quarantined) != (found.landing, found.quarantined):
        raise SourceError(
            f"{settings.table}: {found.landing} lines to land and {found.quarantined} to "
            f"quarantine, {landed} and {quarantined} when read again: the files changed"
        )


def _rows(
    connection: duckdb.DuckDBPyConnection,
    settings: JsonlSettings,
    files: Sequence[RawFile],
    found: MonthSurvey,
    schema: pa.Schema,
    index: int,
    pieces: Sequence[Piece],
) -> _Rows:
    """Return the rows of one block."""
    block = block_of(pieces)
    if index in found.blocks_as_read:
        lines, bad = block.lines, []
    elif index in found.whole_blocks:
        lines, bad = exact_lines(connection, block.lines)[0], []
    else:
        lines, _, bad, _ = sorted_lines(connection, block, found.rules, lambda: found.shape)
    landed = rows(connection, _identified(lines, files, settings), found.columns, schema)
    return _Rows(landed, quarantined(bad, files))


def _identified(lines: pa.Table, files: Sequence[RawFile], settings: JsonlSettings) -> pa.Table:
    """Return the lines with `_dlt_id`, and with file and line if each row is to say them."""
    file, number = lines["file"].combine_chunks(), lines["number"].combine_chunks()
    first, last = (file[0].as_py(), file[-1].as_py()) if len(file) else (0, -1)
    at = pc.subtract(file, first)
    paths = [f.path for f in files[first : last + 1]]
    keys = pa.array([_file_key(path) for path in paths], pa.string()).take(at)
    ids = pc.binary_join_element_wise(keys, number.cast(pa.string()), "_")
    lines = lines.append_column(ID_COLUMN, ids)
    if settings.provenance:
        lines = lines.append_column(PROVENANCE[0], pa.array(paths, pa.string()).take(at))
        lines = lines.append_column(PROVENANCE[1], number)
    return lines


def _file_key(path: str) -> str:
    """Return twelve characters that tell the file from any other."""
    return base64.urlsafe_b64encode(hashlib.sha256(path.encode()).digest()[:9]).decode()


def _schema(settings: JsonlSettings, found: MonthSurvey) -> pa.Schema:
    """Return the Arrow schema of the month's table."""
    fields: list[pa.Field[Any]] = [pa.field(ID_COLUMN, pa.string(), nullable=False)]
    if settings.provenance:
        file, line = PROVENANCE
        fields += [pa.field(file, pa.string()), pa.field(line, pa.int64())]
    fields += [column.field for column in found.columns]
    return pa.schema(fields)
