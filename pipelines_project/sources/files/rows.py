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
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource

from pipelines_project.names import quarantine_table
from pipelines_project.sources.column_origin import origin
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files.careful_landing import careful_landing
from pipelines_project.sources.files.load_facts import load_facts
from pipelines_project.sources.files.month_rows import Before, Landed, MonthRows, opened_rows
from pipelines_project.sources.files.parts import Reading
from pipelines_project.sources.files.quarantine import quarantined
from pipelines_project.sources.files.quick_landing import quick_landing
from pipelines_project.sources.files.raw_files import RawFile, fingerprint
from pipelines_project.sources.files.settings import FileSettings, JsonlSettings
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
    return dlt.resource(_tables(settings, month, columns_before, fetch), name=settings.table)


def _tables(
    settings: FileSettings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    fetch: Fetch,
) -> Iterator[Any]:
    files = month_files(settings, month)
    naming = dlt.current.source_schema().naming
    load_id = dlt.current.load_package_state().get("load_id", "")
    with reading_of(settings) as reading:
        rows = opened_rows(reading, files, naming, month, load_id)
        landed = _landed(rows, columns_before())
        columns = _hints(landed.path)
        if fetch.most_rows is not None:
            zoneless = {n: hint for n, hint in columns.items() if hint.get("timezone") is False}
            first = _first_rows(landed.path, rows, fetch.most_rows)
            yield dlt.mark.with_hints(first, dlt.mark.make_hints(columns=zoneless))
            return
        fetch.facts |= load_facts(
            files, landed.read, landed.quarantined, landed.changes, landed.of_other_months
        )
        bad_lines = landed.bad_lines()
        while bad := [*islice(bad_lines, _QUARANTINE_BATCH)]:
            table = quarantined(bad, files)
            yield dlt.mark.with_table_name(table, quarantine_table(settings.table))
        # Last: the hints of an item are those of every item after it.
        hints = dlt.mark.make_hints(columns=columns)
        yield dlt.mark.with_file_import(str(landed.path), "parquet", landed.rows, hints)
    if fingerprint(settings.folder.files(month)) != fingerprint(files):
        raise SourceError(f"the files of {settings.table} {month} changed while they were read")


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
    table: Any = pa.Table.from_batches(first, file.schema_arrow).drop(["_dlt_load_id"])
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


def _hints(path: Path) -> TTableSchemaColumns:
    """Return the columns of a parquet file as dlt describes them."""
    schema: Any = pq.read_schema(path)
    columns = py_arrow_to_table_schema_columns(schema)
    for name, column in columns.items():
        kind = schema.field(name).type
        if pa.types.is_timestamp(kind) and kind.tz is None:
            # dlt takes a time without a zone for UTC.
            column["timezone"] = False
    return columns


def month_files(settings: FileSettings | JsonlSettings, month: str) -> list[RawFile]:
    """Return the files of a month, which a template without a month must have.

    Raises:
        SourceError: there is none, and a month without files is not what the template means.
    """
    files = settings.folder.files(month)
    if not files and not settings.folder.names_month:
        raise SourceError(
            f"no file fits {settings.folder.template!r} below {settings.folder.url[:200]}. Nothing "
            f"was landed: put the file of {settings.table} there, or correct files"
        )
    return files
