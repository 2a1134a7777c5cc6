"""The rows of a landed load as a dlt resource, to land them once more as a new load."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.extract import DltResource
from fsspec import AbstractFileSystem

from pipelines_project.landing.land_month import Verify
from pipelines_project.landing.month_folder import MonthFolder
from pipelines_project.landing.zone import LandingError

_LOAD_ID_COLUMN = "_dlt_load_id"

Keep = Callable[[str, pa.Table], pa.Table]
"""Given a dlt table and some of its rows, returns those that are wanted."""


def keep_all(_table: str, rows: pa.Table) -> pa.Table:
    """Return the rows as they are."""
    return rows


def row_groups(
    fs: AbstractFileSystem, path: str, columns: list[str] | None = None
) -> Iterator[pa.Table]:
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


def landed_rows(place: MonthFolder, files: Mapping[str, str], keep: Keep = keep_all) -> DltResource:
    """Return the rows of landed files; the types and `_dlt_id` stay, the load id is the new load's.

    Args:
        place: the month.
        files: the dlt table of each path: the month's own, or its quarantine.
        keep: which of the rows.
    """

    def tables() -> Iterator[Any]:
        for path, table in files.items():
            for rows in row_groups(place.fs, path):
                kept = keep(table, rows)
                kept = kept.select([c for c in kept.column_names if c != _LOAD_ID_COLUMN])
                if table == place.table:
                    yield kept
                elif len(kept):
                    yield dlt.mark.with_table_name(kept, table)

    return dlt.resource(tables(), name=place.table)


def has_rows(place: MonthFolder, expected: Mapping[str, int]) -> Verify:
    """Return what refuses a new load that has not as many rows of each dlt table as expected."""

    def verify(files: list[str]) -> dict[str, Any]:
        found = dict.fromkeys(expected, 0)
        for file in map(Path, files):
            table = ParsedLoadJobFileName.parse(file.name).table_name
            found[table] = found.get(table, 0) + pq.read_metadata(file).num_rows
        if found != expected:
            raise LandingError(f"{place}: {found} rows were read, not {dict(expected)}: try again")
        return {}

    return verify
