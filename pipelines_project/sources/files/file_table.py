"""A table of files of any format: its resource, which months its files have, how many lines."""

from collections.abc import Callable, Mapping
from datetime import datetime

import duckdb
from dlt.extract import DltResource

from pipelines_project.months import month_of
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.files import readers
from pipelines_project.sources.files.json_lines import json_lines
from pipelines_project.sources.files.line_pieces import read_blocks
from pipelines_project.sources.files.month_rows import MonthRows, opened_rows
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.rows import file_rows, reading_of
from pipelines_project.sources.files.schema_contract import duckdb_types
from pipelines_project.sources.files.settings import FileSettings, JsonlSettings

Settings = JsonlSettings | FileSettings

ALL_MONTHS = ""
"""The key of files that do not tell their month."""


def resource_of(
    settings: Settings,
    month: str,
    columns_before: Callable[[], Mapping[str, str]],
    fetch: Fetch,
) -> DltResource:
    """Return the resource of a month of the table; see `json_lines` and `file_rows`.

    Args:
        settings: of the table.
        month: `YYYY-MM`.
        columns_before: gives the dlt type of each column that the table has already, if any.
        fetch: its facts get what the load is made from, while it is read.
    """
    if isinstance(settings, FileSettings):
        return file_rows(settings, month, columns_before, fetch)
    return json_lines(settings, month, lambda: duckdb_types(columns_before()), fetch)


def files_by_month(settings: Settings) -> dict[str, list[RawFile]]:
    """Return the files of each month, or of `ALL_MONTHS` if their paths do not tell it."""
    if settings.folder.names_month:
        return settings.folder.files_by_month()
    files = settings.folder.files(ALL_MONTHS)
    return {ALL_MONTHS: files} if files else {}


def months_of(settings: Settings, key: str, now: datetime) -> list[str]:
    """Return the months to land when the files of a key of `files_by_month` have changed.

    Those of a file that holds several months are read from it: every row is looked at.
    """
    if key != ALL_MONTHS:
        return [key]
    if not isinstance(settings, FileSettings) or not settings.month_column:
        return [month_of(now)]
    with reading_of(settings) as reading:
        rows = opened_rows(reading, settings.folder.files(ALL_MONTHS))
        try:
            return _months(rows)
        except duckdb.Error:
            return _months(rows.sound())


def lines_of(settings: Settings, month: str) -> int:
    """Return how many lines, or rows, the files of a month have."""
    if isinstance(settings, FileSettings):
        with reading_of(settings) as reading:
            parts = readers.parts(reading, settings.folder.files(month))
            return sum(part.rows + part.bad for part in readers.sound(reading, parts))
    blocks = read_blocks(settings.folder, settings.folder.files(month))
    return sum(len(block.lines) + len(block.bad) for block in blocks)


def _months(rows: MonthRows) -> list[str]:
    found = rows.every(
        f"select distinct {rows.month_of} as month from ({rows.unnumbered}) order by 1"
    )
    return [month for (month,) in found if month]
