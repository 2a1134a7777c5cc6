"""A month of JSON lines files as one dlt resource.

Data flow:
    files ─▶ first lines: shape ─▶ one reading of every line ─▶ parquet
          └▶ if a line is not surely of that shape:
             survey of every line: shape, bad lines ─▶ columns, contract ─▶ lines again ─▶ Arrow

So a month without surprises is read once, another one twice, because the columns and their types
come from every line. Lines that do not land fail the month, or go to the table
`<table>_quarantine` of the same load.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet
from dlt.extract import DltResource

from pipelines_project.names import quarantine_table
from pipelines_project.sources.column_hints import file_columns
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files.line_pieces import read_pieces
from pipelines_project.sources.files.line_rows import identified, schema_of
from pipelines_project.sources.files.load_facts import load_facts
from pipelines_project.sources.files.month_files import month_files
from pipelines_project.sources.files.month_survey import MonthSurvey, survey_month
from pipelines_project.sources.files.quarantine import quarantined
from pipelines_project.sources.files.quick_lines import quick_lines
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.settings import JsonlSettings
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.block_workers import BlockWorkers, block_workers
from pipelines_project.sources.json.columns import rows
from pipelines_project.sources.json.lines import exact_lines, sorted_lines
from pipelines_project.sources.json.raw_lines import Piece, block_of
from pipelines_project.sources.row_groups import RowGroup
from pipelines_project.temporary import working_folder

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


class _Rows(NamedTuple):
    landed: pa.Table
    quarantined: pa.Table


def json_lines(
    settings: JsonlSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    fetch: Fetch,
) -> DltResource:
    """Return the resource of the month's rows, and of its bad lines if they are quarantined.

    Each table has the column `_dlt_id`, made of file and line: the same for a line in every load.

    Args:
        settings: of the table.
        month: `YYYY-MM`.
        columns_before: gives the DuckDB type of each column that the table has already, if any.
        fetch: its facts get what the load is made from, while it is read.

    Raises:
        SourceError: while it is read, for what the settings say fails the month, and for files
            that changed while they were read.
    """

    # Of a generator instead of a function dlt would search all loaded modules for its own.
    def tables() -> Iterator[Any]:
        yield from _tables(settings, month, columns_before, fetch)

    return dlt.resource(tables, name=settings.table)


def _tables(
    settings: JsonlSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    fetch: Fetch,
) -> Iterator[Any]:
    naming = dlt.current.source_schema().naming
    load_id = dlt.current.load_package_state().get("load_id", "")
    before = columns_before()
    with (
        month_files(settings, month) as files,
        block_workers() as workers,
        working_folder() as folder,
    ):
        quick = None
        # Of a look only the first rows are wanted, which a file would hold with all the others.
        if fetch.most_rows is None:
            path = Path(folder) / "rows.parquet"
            quick = quick_lines(workers, settings, files, naming, before, path, load_id)
        if quick:
            fetch.facts |= load_facts(files, quick.rows, 0, quick.changes)
            hints = dlt.mark.make_hints(columns=file_columns(quick.path))
            yield dlt.mark.with_file_import(str(quick.path), "parquet", quick.rows, hints)
        else:
            found = survey_month(workers, settings, files, naming, before)
            fetch.facts |= load_facts(
                files, found.landing + found.quarantined, found.quarantined, found.changes
            )
            yield from _read_again(workers, settings, files, found)


def _read_again(
    workers: BlockWorkers, settings: JsonlSettings, files: Sequence[RawFile], found: MonthSurvey
) -> Iterator[Any]:
    """Yield the rows that land, and the lines that do not if they are quarantined."""
    schema = schema_of(settings, found.columns)
    # So that a month without rows has its columns too.
    yield schema.empty_table()

    def work(connection: duckdb.DuckDBPyConnection, block: tuple[int, Sequence[Piece]]) -> _Rows:
        return _rows(connection, settings, files, found, schema, *block)

    blocks = enumerate(read_pieces(settings.folder, files))
    yield from _row_groups(settings, found, workers.map(work, blocks))


def _row_groups(
    settings: JsonlSettings, found: MonthSurvey, blocks: Iterator[_Rows]
) -> Iterator[Any]:
    """Yield the blocks' rows in tables of a row group each, and their bad lines."""
    landed = quarantined = 0
    group = RowGroup()
    for block in blocks:
        landed += len(block.landed)
        quarantined += len(block.quarantined)
        if len(block.quarantined):
            name = quarantine_table(settings.table)
            yield dlt.mark.with_table_name(block.quarantined, name)
        if group.add(block.landed):
            yield from group.taken()
    yield from group.taken()
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
    landed = rows(connection, identified(lines, files, settings), found.columns, schema)
    return _Rows(landed, quarantined(bad, files))
