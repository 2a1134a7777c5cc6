"""A month of csv, tsv, parquet or Excel files as one dlt resource: a parquet file made by DuckDB.

Data flow:
    files ─▶ parts ─▶ types told by the first rows ─▶ one reading of every row ─▶ parquet
                 └▶ if a row does not fit them: sound parts, types told by every row ─▶ parquet

So a month without surprises is read once. Rows that do not land fail the month, or go to the table
`<table>_quarantine` of the same load.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet
from dlt.extract import DltResource

from pipelines_project.names import LOAD_ID_COLUMN, quarantine_table
from pipelines_project.sources.column_hints import file_columns, zoneless
from pipelines_project.sources.column_origin import origin
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files.careful_landing import careful_landing
from pipelines_project.sources.files.load_facts import load_facts
from pipelines_project.sources.files.month_files import month_files
from pipelines_project.sources.files.month_rows import Before, Landed, MonthRows, opened_rows
from pipelines_project.sources.files.parts import Reading
from pipelines_project.sources.files.quarantine import quarantined
from pipelines_project.sources.files.quick_landing import quick_landing
from pipelines_project.sources.files.settings import FileSettings
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.temporary import duckdb_session, working_folder

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

_QUARANTINE_BATCH = 10_000


def file_rows(
    settings: FileSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    fetch: Fetch,
) -> DltResource:
    """Return the resource of the month's rows, and of its bad rows if they are quarantined.

    Args:
        settings: of the table.
        month: `YYYY-MM`.
        columns_before: gives the dlt type of each column that the table has already, if any.
        fetch: its facts get what the load is made from, while it is read; of a look, only the
            first rows come.

    Raises:
        SourceError: while it is read, for what the settings say fails the month, and for files
            that cannot be read or changed while they were read.
    """

    # Of a generator instead of a function dlt would search all loaded modules for its own.
    def tables() -> Iterator[Any]:
        yield from _tables(settings, month, columns_before, fetch)

    return dlt.resource(tables, name=settings.table)


def _tables(
    settings: FileSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    fetch: Fetch,
) -> Iterator[Any]:
    naming = dlt.current.source_schema().naming
    load_id = dlt.current.load_package_state().get("load_id", "")
    with month_files(settings, month) as files, reading_of(settings) as reading:
        rows = opened_rows(reading, files, naming, month, load_id)
        landed = _landed(rows, columns_before())
        fetch.facts |= load_facts(
            files, landed.read, landed.quarantined, landed.changes, landed.of_other_months
        )
        if fetch.most_rows is not None:
            first = _first_rows(landed.path, rows, fetch.most_rows)
            hints: Any = zoneless(first.schema)
            yield dlt.mark.with_hints(first, dlt.mark.make_hints(columns=hints))
            return
        bad_lines = landed.bad_lines()
        while bad := [*islice(bad_lines, _QUARANTINE_BATCH)]:
            table = quarantined(bad, files)
            yield dlt.mark.with_table_name(table, quarantine_table(settings.table))
        # Last: the hints of an item are those of every item after it.
        hints = dlt.mark.make_hints(columns=file_columns(landed.path))
        yield dlt.mark.with_file_import(str(landed.path), "parquet", landed.rows, hints)


def _landed(month: MonthRows, before: Before) -> Landed:
    """Write the month's rows to a parquet file, with care if need be."""
    try:
        quick = quick_landing(month, before)
    except duckdb.Error:
        # Reading with care tells what is wrong.
        quick = None
    try:
        return quick or careful_landing(month.sound(), before)
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise SourceError(
            f"the files of {month.reading.settings.table} {month.month} cannot be read: "
            f"{str(error)[:500]}. Nothing was landed: mend the file, or declare types"
        ) from error


def _first_rows(path: Path, month: MonthRows, most: int) -> pa.Table:
    """Return the first rows of a parquet file, with what the raw files call each column."""
    file: Any = pq.ParquetFile(path)
    first: list[Any] = [*islice(file.iter_batches(max(1, most)), 1)]
    table: Any = pa.Table.from_batches(first, file.schema_arrow).drop([LOAD_ID_COLUMN])
    sources = {column.name: column.source for column in month.columns}
    fields: list[Any] = list(table.schema)
    known = [
        field.with_metadata(origin((sources[field.name],))) if field.name in sources else field
        for field in fields
    ]
    return table.cast(pa.schema(known)).slice(0, most)


@contextmanager
def reading_of(settings: FileSettings) -> Generator[Reading]:
    """Give what the files of a table are read by: DuckDB, and a folder that is deleted then."""
    with working_folder() as place, duckdb_session() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield Reading(settings, Path(place), connection)
