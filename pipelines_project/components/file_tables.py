"""What a `defs.yaml` says of one table of files: where they are, their format, bad rows."""

import codecs
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipelines_project.components.table_settings import TableSettings
from pipelines_project.sources.files.file_format import Format, format_of, jsonl_template
from pipelines_project.sources.files.file_table import Settings
from pipelines_project.sources.files.raw_files import RawFolder, checked_template
from pipelines_project.sources.files.settings import CsvDialect, FileSettings, JsonlSettings
from pipelines_project.sources.files.sheet_rows import checked_cells
from pipelines_project.sources.files.text_types import declared_type

_CSV: dict[str, tuple[Format, ...]] = dict.fromkeys(
    ("delimiter", "quote", "encoding", "nulls", "columns"), ("csv", "tsv")
)
# Which formats a setting is for.
_FOR: dict[str, tuple[Format, ...]] = {
    **_CSV,
    "sheet": ("excel",),
    "range": ("excel",),
    "start_row": ("csv", "tsv", "excel"),
    "types": ("csv", "tsv", "parquet", "excel"),
    "month_column": ("csv", "tsv", "parquet", "excel"),
}


class FileTable(TableSettings):
    """A table whose rows are in files."""

    files: str = Field(
        description="The path of the files below raw_url: with %Y and %m for the month, "
        "%{region} for a part of the path that becomes a column, and wildcards for the rest, as "
        "in receipts/%Y-%m/*.csv. Without a month the files hold all months, which month_column "
        "tells apart, or a snapshot. What ends with .gz, .zst or .bz2 is decompressed."
    )
    format: Format | None = Field(
        default=None,
        description="What the files are: csv, tsv, parquet, excel or jsonl; their name tells it, "
        "if it ends with that.",
    )
    month_column: str | None = Field(
        default=None,
        description="The column with the date that tells the month of a row, for files that hold "
        "several months.",
    )
    on_bad_row: Literal["fail", "quarantine"] = Field(
        default="fail",
        description="What a line that is no row, or a row without its date or declared type, "
        "does: fail its month, or go to the table <name>_quarantine of the same load.",
    )
    contract: Literal["evolve", "freeze", "quarantine"] = Field(
        default="evolve",
        description="What a new column or a wider type does: it is taken in (evolve), fails the "
        "month (freeze), or sends its rows to the quarantine table (quarantine).",
    )
    provenance: bool = Field(
        default=False, description="Whether each row says its source_file and source_line."
    )
    types: dict[str, str] = Field(
        default_factory=dict,
        description="The types of columns, such as {amount: decimal(12,2), day: date(%d.%m.%Y)}; "
        "those of the others are told by all values.",
    )
    columns: list[str] = Field(
        default_factory=list,
        description="The names of the columns, for csv files without a header line.",
    )
    delimiter: str | None = Field(
        default=None,
        description="The character between two fields: a comma, or a tab in tsv files, by default.",
    )
    quote: str = Field(
        default='"',
        description="The character around a field that holds a delimiter or a line's end.",
    )
    encoding: str = Field(
        default="utf-8", description="The encoding of csv files, such as latin-1 or utf-16."
    )
    nulls: list[str] = Field(
        default_factory=lambda: [""],
        description="The texts in csv files that are null, unless they are in quotes.",
    )
    start_row: int = Field(
        default=1, description="The row of the header, in csv and Excel files, from 1."
    )
    sheet: str | None = Field(
        default=None, description="The sheet of an Excel file; the first by default."
    )
    range: str | None = Field(
        default=None, description="The cells of a sheet that hold header and rows, such as B3:F."
    )

    @field_validator("files")
    @classmethod
    def _is_template(cls, template: str) -> str:
        return checked_template(template)

    @field_validator("types")
    @classmethod
    def _are_types(cls, types: dict[str, str]) -> dict[str, str]:
        for column, text in types.items():
            try:
                declared_type(text)
            except ValueError as error:
                raise ValueError(f"{column}: {error}") from error
        return types

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_character(cls, text: str | None) -> str | None:
        if text is not None and (len(text.encode()) != 1 or text in "\r\n"):
            raise ValueError(f"{text[:80]!r} must be one character of ASCII, and no line's end")
        return text

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, encoding: str) -> str:
        try:
            "".encode(codecs.lookup(encoding).name)
        except LookupError as error:
            raise ValueError(f"{encoding[:80]!r} is no encoding: write utf-8, latin-1 …") from error
        return encoding

    @field_validator("start_row")
    @classmethod
    def _is_row(cls, row: int) -> int:
        if row < 1:
            raise ValueError("must be at least 1")
        return row

    @field_validator("range")
    @classmethod
    def _are_cells(cls, cells: str | None) -> str | None:
        return cells if cells is None else checked_cells(cells)

    @model_validator(mode="after")
    def _fits_format(self, _: ValidationInfo) -> "FileTable":
        try:
            found = format_of(self.files, self.format)
            if found == "jsonl":
                jsonl_template(self.files)
        except ValueError as error:
            raise ValueError(f"files: {error}") from error
        for name, formats in _FOR.items():
            default = type(self).model_fields[name].get_default(call_default_factory=True)
            if getattr(self, name) != default and found not in formats:
                raise ValueError(
                    f"{name} is for {', '.join(formats)} files, and {self.files!r} names {found}"
                )
        if found == "jsonl" and "%{" in self.files:
            raise ValueError("files: a part of the path as a column is not for jsonl files")
        if self.month_column and "%Y" in self.files:
            raise ValueError(
                "month_column is for files that hold several months: leave it out, or %Y-%m in "
                "files"
            )
        return self

    @property
    def is_snapshot(self) -> bool:
        """Whether nothing tells the month of a row."""
        return "%Y" not in self.files and self.month_column is None

    def settings(self, raw_url: str) -> Settings:
        """Return what the engine reads the files below a folder by."""
        folder, found = RawFolder(raw_url, self.files), format_of(self.files, self.format)
        if found == "jsonl":
            return JsonlSettings(
                self.name,
                folder,
                self.on_bad_row,
                self.contract,
                self.provenance,
                self.column_names,
            )
        delimiter = "\t" if found == "tsv" and self.delimiter is None else self.delimiter
        return FileSettings(
            table=self.name,
            folder=folder,
            format=found,
            on_bad_row=self.on_bad_row,
            contract=self.contract,
            provenance=self.provenance,
            month_column=self.month_column,
            types=self.types,
            column_names=self.column_names,
            csv=CsvDialect(
                delimiter, self.quote, self.encoding, tuple(self.nulls), tuple(self.columns)
            ),
            start_row=self.start_row,
            sheet=self.sheet,
            cells=self.range,
        )
