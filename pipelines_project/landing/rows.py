"""The rows of a landed load as a dlt resource, to land them once more as a new load."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet
from dlt.extract import DltResource

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Details, NewLoad, Verify
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.storage import FileSystem
from pipelines_project.names import LOAD_ID_COLUMN
from pipelines_project.sources.fetch import Fetch

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


Keep = Callable[[str, pa.Table], pa.Table]
"""Given a dlt table and some of its rows, returns those that are wanted."""


def keep_all(_table: str, rows: pa.Table) -> pa.Table:
    """Return the rows as they are."""
    return rows


def row_groups(fs: FileSystem, path: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Yield a parquet file's row groups; of a file without rows one table without rows.

    Args:
        fs: where the file is.
        path: of the file.
        columns: which to read, where the file has them; all without.
    """
    with fs.open(path, "rb") as stored:
        file = pq.ParquetFile(stored)
        if not file.num_row_groups:
            yield file.schema_arrow.empty_table()
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns)


def landed_rows(
    month: LandedMonth, load: LoadRecord, fetch: Fetch, keep: Keep = keep_all
) -> DltResource:
    """Return the rows of a load; the types and `_dlt_id` stay, the load id is the new load's.

    Args:
        month: which month.
        load: the record of the load.
        fetch: is told what the load's columns are in the source.
        keep: which of the rows.
    """
    fetch.origins = load.origins

    def tables() -> Iterator[Any]:
        for path, file in month.paths(load).items():
            table = file.table
            for rows in row_groups(month.fs, path):
                kept = keep(table, rows)
                kept = kept.select([c for c in kept.column_names if c != LOAD_ID_COLUMN])
                if table == month.table:
                    yield kept
                elif len(kept):
                    yield dlt.mark.with_table_name(kept, table)

    return dlt.resource(tables, name=month.table)


def has_rows(expected: Mapping[str, int]) -> Verify:
    """Return what refuses a new load that has not as many rows of each dlt table as expected."""

    def verify(new: NewLoad) -> Details:
        found = {table: new.rows_of(table) for table in expected}
        if found != expected:
            raise LandingError(
                f"{new.month}: {found} rows were read, not {dict(expected)}: try again"
            )
        return {}

    return verify
