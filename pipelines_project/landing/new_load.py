"""A load that is staged and not yet published, and what decides whether it may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.previous import Previous
from pipelines_project.landing.sample import Sample
from pipelines_project.landing.stage import Staged


@dataclass(frozen=True)
class NewLoad:
    """A load that is staged and not yet published.

    Attributes:
        month: which month.
        staged: its files.
        before: the load that it would replace.
        facts: what its rows are made from.
        allow_shrink: whether it may take away most of the month.
        content: the same for loads of the same rows and refused rows; None if it is not known.
        sample: a few of its rows, where they may be shown.
    """

    month: LandedMonth
    staged: Staged
    before: Previous
    facts: Mapping[str, str]
    allow_shrink: bool = False
    content: str | None = None
    sample: Sample | None = None

    def rows_of(self, table: str) -> int:
        """Return how many rows of a dlt table it has."""
        return sum(file.rows for file in self.staged.files if file.table == table)


Details = Mapping[str, Any]
"""What a source says of a load, to be shown."""

Verify = Callable[[NewLoad], Details]
"""Given the new load before it is published: raises, or returns what is to be shown of it."""
