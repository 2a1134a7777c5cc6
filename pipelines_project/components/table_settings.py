"""What a `defs.yaml` can say of each table, whatever source it comes from."""

import re
from datetime import UTC, datetime, time
from typing import Literal

import dagster as dg
from pydantic import Field, ValidationInfo, field_validator

from pipelines_project.components.document_part import DocumentPart
from pipelines_project.months import checked_month
from pipelines_project.names import MONTH_COLUMN, checked_table, is_name
from pipelines_project.table import Timing

# As dlt writes the names of columns.
_COLUMN = re.compile(r"[a-z0-9_]{1,250}")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class TimingSettings(DocumentPart, dg.Model):
    """When a table is landed by schedules and sensors, and who answers for it."""

    cron: str | None = Field(
        default=None,
        description="When the table's own schedule lands it, in UTC; without one it is landed by "
        "the source's.",
    )
    lookback_months: int = Field(
        default=0,
        description="How many months before the current one each tick of the schedule lands again.",
    )
    paused: bool = Field(
        default=False, description="Whether schedules and sensors leave the table alone."
    )
    priority: int = Field(
        default=0, description="The place of its runs in Dagster's queue: higher ones start first."
    )
    window: str | None = Field(
        default=None,
        description="The time of day, in UTC, in which schedules and sensors may start runs, such "
        "as 22:00-06:00; without one they always may.",
    )
    failures_before_pause: int | None = Field(
        default=None,
        description="After how many failed runs in a row schedules and sensors leave the table "
        "alone, until somebody materializes it with success; without one they never do.",
    )
    owners: list[str] = Field(
        default_factory=list,
        description="Who answers for the table: e-mail addresses, or team:name.",
    )
    tags: dict[str, str] = Field(
        default_factory=dict, description="Tags of the table's assets in Dagster."
    )

    @field_validator("lookback_months")
    @classmethod
    def _is_count(cls, months: int) -> int:
        if not 0 <= months <= 1200:
            raise ValueError("must be from 0 to 1200")
        return months

    @field_validator("failures_before_pause")
    @classmethod
    def _is_positive(cls, failures: int | None) -> int | None:
        if failures is not None and failures < 1:
            raise ValueError("must be at least 1")
        return failures

    @field_validator("window")
    @classmethod
    def _is_window(cls, window: str | None) -> str | None:
        if window is not None:
            parsed_window(window)
        return window

    def timing(self, source_cron: str | None) -> Timing:
        """Return them as the engine takes them; the source's cron where there is no other."""
        return Timing(
            cron=source_cron if self.cron is None else self.cron,
            has_own_cron=self.cron is not None,
            lookback_months=self.lookback_months,
            paused=self.paused,
            priority=self.priority,
            window=parsed_window(self.window) if self.window else None,
            failures_before_pause=self.failures_before_pause,
        )


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


def parsed_window(window: str) -> tuple[time, time]:
    """Return the times of day, in UTC, at which a window begins and ends.

    Raises:
        ValueError: it is not written as `22:00-06:00`, or ends when it begins.
    """
    match = _WINDOW.fullmatch(window)
    if not match:
        raise ValueError(f"{window[:80]!r} is no window: write the times as 22:00-06:00")
    begins, ends = (
        datetime(2000, 1, 1, int(hour), int(minute), tzinfo=UTC).time()
        for hour, minute in (match.groups()[:2], match.groups()[2:])
    )
    if begins == ends:
        raise ValueError(f"{window!r} ends when it begins: leave it out for the whole day")
    return begins, ends
