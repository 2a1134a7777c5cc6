"""What a table of files is made from, and the names of what is added to its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines_project.sources.files.file_format import Format
from pipelines_project.sources.files.raw_files import RawFolder

PROVENANCE = ("source_file", "source_line")


@dataclass(frozen=True)
class JsonlSettings:
    """Where a table's lines are, and what becomes of those that do not fit.

    Attributes:
        table: the name of the table.
        folder: the files.
        on_bad_line: `fail` the month, or put such lines into the quarantine table.
        contract: whether a month may have new columns and wider types (`evolve`), fails if it has
            (`freeze`), or lands without the lines that bring them (`quarantine`).
        provenance: whether each row says its file and line.
        column_names: the columns that the settings name, by their names in the lines.
    """

    table: str
    folder: RawFolder
    on_bad_line: Literal["fail", "quarantine"] = "fail"
    contract: Literal["evolve", "freeze", "quarantine"] = "evolve"
    provenance: bool = False
    column_names: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class CsvDialect:
    """How the fields of a CSV file are written.

    Attributes:
        delimiter: the character between two fields; None for a comma that nobody has stated.
        quote: the character around a field that holds a delimiter, a quote or a line's end.
        encoding: a name that Python knows.
        nulls: the texts that are null unless they are in quotes.
        columns: the names of the columns, for files without a header line.
    """

    delimiter: str | None = None
    quote: str = '"'
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = ("",)
    columns: tuple[str, ...] = ()

    @property
    def separator(self) -> str:
        """The character between two fields."""
        return self.delimiter or ","


@dataclass(frozen=True)
class FileSettings:
    """Where the files of a table of rows are, how they are read, what becomes of bad rows.

    Attributes:
        table: the name of the table.
        folder: the files.
        format: of all of them.
        on_bad_row: `fail` the month, or put such rows into the quarantine table.
        contract: as of `JsonlSettings`.
        provenance: whether each row says its file and line.
        month_column: the column of the date that tells the month of a row, for files that hold
            several months.
        types: the declared type of a column, as `declared_type` reads it.
        column_names: the columns that the settings name, by their names in the files.
        csv: the dialect of csv and tsv files.
        start_row: the row of the header, from 1.
        sheet: of an Excel file; None for the first.
        cells: the part of a sheet, such as `B3:F`; None for all of it.
    """

    table: str
    folder: RawFolder
    format: Format
    on_bad_row: Literal["fail", "quarantine"] = "fail"
    contract: Literal["evolve", "freeze", "quarantine"] = "evolve"
    provenance: bool = False
    month_column: str | None = None
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    column_names: Mapping[str, str] = field(default_factory=dict[str, str])
    csv: CsvDialect = CsvDialect()
    start_row: int = 1
    sheet: str | None = None
    cells: str | None = None
