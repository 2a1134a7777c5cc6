"""A source that may be asked for several months at once, of which its run keeps the order."""

from dataclasses import replace
from typing import Any

from pydantic import Field, field_validator

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.table import Table

MOST = 32


class ConcurrentSource(MonthlySource):
    """A source whose API or database takes requests for several months at a time."""

    months_at_once: int = Field(
        default=1,
        description="How many months of a table a run lands at the same time, at most "
        f"{MOST}. Each has a session of its own with the source, and takes what one month takes "
        "of the memory; a rate limit is kept by all of them together.",
    )

    @field_validator("months_at_once")
    @classmethod
    def _is_some(cls, months: int) -> int:
        if not 1 <= months <= MOST:
            raise ValueError(f"must be at least 1 and at most {MOST}")
        return months

    def table(self, *args: Any, **kwargs: Any) -> Table:
        """Return one table, as `MonthlySource.table` does."""
        return replace(super().table(*args, **kwargs), months_at_once=self.months_at_once)
