"""The rows of a month's files as one query, and the parquet file that is written of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dlt.common.normalizers.naming import NamingConvention
from dlt.common.normalizers.naming.snake_case import NamingConvention as SnakeCase

from pipelines_project.sources.column_origin import file_metadata, pointer
from pipelines_project.sources.files import readers
from pipelines_project.sources.files.columns import Column, columns_of
from pipelines_project.sources.files.parts import LINE, Part, Reading
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.relation import PATH, relation
from pipelines_project.sources.files.settings import PROVENANCE
from pipelines_project.sources.files.text_types import TEXT
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.raw_lines import BadLine
from pipelines_project.sources.row_groups import ROW_GROUP_ROWS
from pipelines_project.sql_text import literal, quoted


def _none_bad() -> Iterator[BadLine]:
    return iter(())


@dataclass(frozen=True)
class Landed:
    """What a month's files have become.

    Attributes:
        path: of the parquet file of its rows.
        rows: how many it has.
        read: how many lines or rows the files have.
        quarantined: how many of them are quarantined.
        of_other_months: how many belong to other months; None if no column tells the month.
        changes: what the month has that the table did not have before.
        bad_lines: yields the quarantined ones.
    """

    path: Path
    rows: int
    read: int
    quarantined: int = 0
    of_other_months: int | None = None
    changes: Sequence[str] = ()
    bad_lines: Callable[[], Iterator[BadLine]] = field(default=_none_bad)


@dataclass(frozen=True)
class MonthRows:
    """The rows of a month's files.

    Attributes:
        reading: the settings, a place for files, and DuckDB.
        files: of the month.
        parts: the rows of each file.
        columns: of all of them, with what is known of their types without reading them.
        month: `YYYY-MM`.
        load_id: of the load that they become.
    """

    reading: Reading
    files: Sequence[RawFile]
    parts: Sequence[Part]
    columns: Sequence[Column]
    month: str = ""
    load_id: str = ""

    def sound(self) -> "MonthRows":
        """Return the same with what is no row told apart from what is."""
        return replace(self, parts=readers.sound(self.reading, self.parts))

    @cached_property
    def rows(self) -> str:
        """The query of the rows of all files."""
        return relation(self.reading.settings, self.columns, self.parts)

    @cached_property
    def unnumbered(self) -> str:
        """The same, with numbers only if each row is to say its own."""
        settings = self.reading.settings
        return relation(settings, self.columns, self.parts, is_numbered=settings.provenance)

    @cached_property
    def month_of(self) -> str:
        """The SQL of the month that a row belongs to, null if its date is none; empty if all do.

        Raises:
            SourceError: the column that tells it is of a type that is no date.
        """
        asked = self.reading.settings.month_column
        found = [c for c in self.columns if asked in (c.name, c.source)]
        if not asked or not found:
            return ""
        column = found[0]
        kind = column.type.sql if column.type else "VARCHAR"
        if kind.startswith(("DATE", "TIMESTAMP")):
            date = column.value
        elif kind == "VARCHAR":
            date = f"try_cast({quoted(column.name)} as timestamp)"
        else:
            raise SourceError(
                f"the column {column.source!r} of {self.reading.settings.table} tells the month "
                f"and is {kind}, which is no date: correct month_column, or declare its type in "
                "types"
            )
        # A mistyped year is no month that anybody lands, so its row would be in none.
        return f"case when year({date}) between 1900 and 2199 then strftime({date}, '%Y-%m') end"

    @property
    def is_of_month(self) -> str:
        """The SQL that tells whether a row belongs to the month."""
        return f"{self.month_of} = {literal(self.month)}" if self.month_of else "true"

    def every(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.reading.connection.execute(query, values or None).fetchall()

    def written(self, rows: str, columns: Sequence[Column]) -> tuple[Path, int]:
        """Write the rows that fit the columns' types, and return where, and how many they are."""
        path = self.reading.place / "rows.parquet"
        path.unlink(missing_ok=True)
        values = [f"{c.value} as {quoted(_value(at))}" for at, c in enumerate(columns)]
        fits = [
            (c.type or TEXT).fits(quoted(c.name), quoted(_value(at)))
            for at, c in enumerate(columns)
            if c.type not in (None, TEXT)
        ]
        selected = [
            *self._provenance(),
            *(f"{quoted(_value(at))} as {quoted(c.name)}" for at, c in enumerate(columns)),
            f"{literal(self.load_id)} as _dlt_load_id",
        ]
        pointers = {column.name: pointer((column.source,)) for column in columns}
        copy = (
            f"copy (select {', '.join(selected)} from (select {', '.join(['*', *values])} "
            f"from ({rows})) where {' and '.join(fits) or 'true'}) to {literal(str(path))} "
            f"(format parquet, compression zstd, compression_level 1, "
            f"row_group_size {ROW_GROUP_ROWS}, {file_metadata(pointers)})"
        )
        # DuckDB would make each value twice, once to compare it and once to write it.
        self.every("set disabled_optimizers = 'filter_pushdown'")
        try:
            ((count,),) = self.every(copy)
        finally:
            self.every("reset disabled_optimizers")
        return path, count

    def _provenance(self) -> list[str]:
        if not self.reading.settings.provenance:
            return []
        file, line = PROVENANCE
        return [f"{quoted(PATH)} as {file}", f"{quoted(LINE)} as {line}"]


def opened_rows(
    reading: Reading,
    files: Sequence[RawFile],
    naming: NamingConvention | None = None,
    month: str = "",
    load_id: str = "",
) -> MonthRows:
    """Open the files and return their rows.

    Args:
        reading: what to read by.
        files: of the month.
        naming: dlt's naming convention; its default one if it is None.
        month: `YYYY-MM`.
        load_id: of the load that they become.

    Raises:
        OSError, SourceError: as the reader of the format and `columns_of` do.
    """
    parts = readers.parts(reading, files)
    columns = columns_of(reading.settings, parts, naming or SnakeCase())
    return MonthRows(reading, files, parts, columns, month, load_id)


def where(rows: str, condition: str) -> str:
    """Return the query of those rows of which a condition is true."""
    return f"select * from ({rows}) where {condition}"


def _value(index: int) -> str:
    return f"#{index}"


Before = Mapping[str, str]
"""The dlt type of each column that a table has already."""
