"""What a `defs.yaml` can say of each table, whatever source it comes from."""

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from pipelines_project.components.timing_settings import TimingSettings
from pipelines_project.months import checked_month
from pipelines_project.names import MONTH_COLUMN, checked_table, is_name

# As dlt writes the names of columns.
_COLUMN = re.compile(r"[a-z0-9_]{1,250}")


class TableAttributes(TimingSettings):
    """What a table is, in a document that has one table or many."""

    name: str = Field(description="The name of the table: of its assets, folder and SQL table.")
    description: str = Field(default="", description="What one row is and where it comes from.")
    key: list[str] = Field(
        default_factory=list,
        description="The columns that tell one row of a month from another, if there are any.",
    )
    subject: str | None = Field(
        default=None,
        description="The column that tells whom a row is about; <source>_forget goes by it.",
    )
    column_descriptions: dict[str, str] = Field(
        default_factory=dict, description="What columns are, by name; the UI shows it."
    )
    column_names: dict[str, str] = Field(
        default_factory=dict,
        description="The columns in which fields of the source land, by their names in the source, "
        "such as {userId: app_user}; a nested one by its JSON pointer, /payload/userId. The others "
        "are named as dlt names them.",
    )

    # `load` is the name of a method of Dagster's components.
    loader: Literal["replace", "history"] = Field(
        default="replace",
        description="What a load does to the rows of the warehouse: takes the place of the month's "
        "or the snapshot's (replace), or leaves every version of a row, with valid_from, valid_to "
        "and is_current (history, which needs a key).",
    )
    whole_months: bool = Field(
        default=False,
        description="With history: each month has every row there is, so that a row that a month "
        "lacks was deleted. A snapshot always has.",
    )
    version_column: str | None = Field(
        default=None,
        description="With history: the column that says since when a row is as it is, such as "
        "updated_at; without one that is the start of the month that has it first.",
    )

    @field_validator("loader")
    @classmethod
    def _has_key(cls, loader: str, info: ValidationInfo) -> str:
        if loader == "history" and not info.data.get("key"):
            raise ValueError("history tells versions of a row by the table's key: set key")
        return loader

    @field_validator("whole_months", "version_column")
    @classmethod
    def _is_of_history(cls, value: bool | str | None, info: ValidationInfo) -> bool | str | None:
        if value and info.data.get("loader") != "history":
            raise ValueError("is for loader: history only")
        return value

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        return checked_table(name)

    @field_validator("key")
    @classmethod
    def _are_columns(cls, key: list[str]) -> list[str]:
        for name in key:
            if not _COLUMN.fullmatch(name):
                raise ValueError(f"{name[:80]!r} in key is no column: use a-z, 0-9 and _")
        return key

    @field_validator("column_names")
    @classmethod
    def _are_names(cls, names: dict[str, str]) -> dict[str, str]:
        for name, column in names.items():
            if column == MONTH_COLUMN or not all(map(is_name, column.split("__"))):
                raise ValueError(
                    f"{name}: {column[:80]!r} is no name of a column: use a-z, 0-9 and single "
                    f"underscores, and not {MONTH_COLUMN!r}, which the partition has"
                )
        return names

    def first_month(self, of_source: str) -> str:
        """Return the table's first month, given that of its source."""
        return of_source


class TableSettings(TableAttributes):
    """One of the tables that a document lists."""

    start_month: str | None = Field(
        default=None, description="The table's first month, YYYY-MM, if it is not the source's."
    )

    @field_validator("start_month")
    @classmethod
    def _is_month(cls, month: str | None) -> str | None:
        return month if month is None else checked_month(month)

    def first_month(self, of_source: str) -> str:
        """Return the table's first month, given that of its source."""
        return self.start_month or of_source
