"""Fetching a month: whole, or only what has changed since it was landed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dlt.extract import DltResource

from pipelines_project.months import month_start, next_month
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.lists import MARKS, ChangedBetween, resource
from pipelines_project.sources.freshdesk.pages import Row
from pipelines_project.sources.http.api_calls import ApiCalls

# A change may show in the lists a little after its `updated_at`.
_OVERLAP = timedelta(minutes=2)
_ASKED_AT = "asked_at"


@dataclass(frozen=True)
class MonthsOfTable:
    """The months of a table, fetched in one run.

    Attributes:
        table: one of `freshdesk_columns.TABLES`.
        api: the help desk's API.
        calls: the run's, which know when they began.
        changed: from `changed_rows`, made once for the run.
        since_last: whether of the month that goes on, if it was landed before, only what has
            changed since is fetched. The lists that take no such instant (companies, agents,
            groups, roles) are read whole in any case.
    """

    table: str
    api: FreshdeskApi
    calls: ApiCalls
    changed: ChangedBetween
    since_last: bool = True

    def __call__(self, month: str, fetch: Fetch) -> DltResource:
        """Return the rows of the month."""
        start, end = month_start(month), month_start(next_month(month))
        since = self._landed_at(fetch)
        if since and since > start and self.calls.began_at < end:
            fetch.changes_by = ("id",)
            start = since
        pages = self._noted(self.changed(start, end), fetch)
        rows_before = 0 if fetch.changes_by else fetch.rows_before
        return resource(self.table, self.api, pages, rows_before)

    def _landed_at(self, fetch: Fetch) -> datetime | None:
        """Return since when rows may have changed that are landed, if that is known."""
        asked_at = fetch.facts_before.get(_ASKED_AT)
        if not (asked_at and self.since_last and self.table in MARKS):
            return None
        return datetime.fromisoformat(asked_at) - _OVERLAP

    def _noted(self, pages: Iterable[list[Row]], fetch: Fetch) -> Iterator[list[Row]]:
        """Yield the pages, and then note for the next time when the API was asked for them."""
        yield from pages
        fetch.facts[_ASKED_AT] = self.calls.began_at.isoformat(timespec="seconds")
