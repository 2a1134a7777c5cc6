"""What a `defs.yaml` can say of when a table is landed, and who answers for it."""

import re
from datetime import UTC, datetime, time

import dagster as dg
from pydantic import Field, field_validator

from pipelines_project.components.document_part import DocumentPart
from pipelines_project.table import Timing

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
