"""What a source is told when a month is fetched, and what it tells of the rows that it yields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dlt.extract import DltResource

ALLOW_SHRINK = "allow_shrink: true"
"""What the run config says that lands a month although most of its rows would go."""


class NotModifiedError(Exception):
    """The month's rows would be those of its current load; raised while a resource is read."""


@dataclass
class Fetch:
    """One fetching of a month.

    Attributes:
        rows_before: the rows of the month's current load that an answer without any must not
            replace unasked; 0 if there is none, or it may shrink.
        facts_before: the facts that the current load's record holds; empty if the month is to be
            landed in any case, or its current load is damaged.
        changes_by: set by a source that yields only what changed since the current load: the
            columns of a row's key. The current load's other rows are then landed with them.
        most_rows: how many rows are wanted if it is only a look; None for all of them.
        facts: filled by the source while its rows are read, for the new load's record: what a later
            fetching compares, such as the ETag of each answer.
        origins: set where landed rows are landed once more: what their columns are in the source,
            as their load's record tells it.
    """

    rows_before: int = 0
    facts_before: Mapping[str, str] = field(default_factory=dict[str, str])
    changes_by: tuple[str, ...] = ()
    most_rows: int | None = None
    facts: dict[str, str] = field(default_factory=dict[str, str])
    origins: Mapping[str, list[str]] | None = None


Extract = Callable[[str, Fetch], DltResource]
"""Given a month, `YYYY-MM`, and what is known of it, returns the dlt resource of its rows.

A source that can tell that nothing has changed raises `NotModifiedError` while it is read.
"""
