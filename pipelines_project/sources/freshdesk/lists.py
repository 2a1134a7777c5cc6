"""The lists of a Freshdesk help desk, by the month in which their rows last changed.

Data flow:
    tickets ─▶ one pass each for the normal, spam and deleted ones, in the order of updated_at
    contacts ─▶ one pass each for the normal, blocked and deleted ones, since the run's first month
    companies, agents, groups, roles ─▶ listed whole
All but the tickets are listed once in a run and then filtered, month by month. A row can come twice
in a month, if it changes while it is listed; the warehouse keeps the newest.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, cast

import dlt
from dlt.common import json
from dlt.extract import DltResource

from pipelines_project.sources.fetch import ALLOW_SHRINK
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.columns import columns
from pipelines_project.sources.freshdesk.fetched_list import FetchedList
from pipelines_project.sources.freshdesk.pages import NumberedPages, Row, updated_at
from pipelines_project.sources.freshdesk.updated_since import UpdatedSince
from pipelines_project.sources.http.api_calls import SourceError

PAGE_CAP = 300
"""The last page of tickets that Freshdesk gives; page 301 is answered 400 (API v2)."""

# A row that changes from one pass's state to a later one's while it is listed is not missed.
TICKET_MARKS = ("spam", "deleted")
CONTACT_MARKS = ("blocked", "deleted")
MARKS: dict[str, tuple[str, ...]] = {"tickets": TICKET_MARKS, "contacts": CONTACT_MARKS}
"""The states that the API lists separately, by table, the least telling first."""

_INCLUDED = ("description", "stats", "requester")
CREDITS = {"tickets": 1 + 2 * len(_INCLUDED)}
"""What a request counts, where it is not one: two for each of what is embedded in its rows."""

ChangedBetween = Callable[[datetime, datetime], Iterator[list[Row]]]


def changed_rows(table: str, api: FreshdeskApi, page_cap: int = PAGE_CAP) -> ChangedBetween:
    """Return what yields the pages of a table that last changed between two instants.

    Args:
        table: one of `freshdesk_columns.TABLES`.
        api: the help desk's API.
        page_cap: the last page of tickets that it gives.

    Returns:
        A function of a start and an end; made once for a run, it fetches whole lists once.
    """
    if table == "tickets":
        return partial(_tickets, api, page_cap)
    return FetchedList(partial(_list, table, api)).changed_between


def resource(
    table: str, api: FreshdeskApi, pages: Iterable[list[Row]], rows_before: int = 0
) -> DltResource:
    """Return the rows of some pages of a table.

    Args:
        table: one of `freshdesk_columns.TABLES`.
        api: the help desk's API.
        pages: of a month, from `changed_rows`.
        rows_before: what is landed of the month. Rows leave a month when they change again, so it
            may become empty; but not while the help desk answers that it has none at all.

    Raises:
        SourceError: while it is read, for an answer that no retry can mend.
    """

    def landed() -> Iterator[list[Row]]:
        found = 0
        for page in pages:
            found += len(page)
            yield [_landed(row) for row in page]
        if rows_before and not found:
            _check_not_empty(table, api, rows_before)

    return dlt.resource(landed, name=table, columns=columns(table), primary_key="id")


def _check_not_empty(table: str, api: FreshdeskApi, rows_before: int) -> None:
    """Ask for the beginning of the whole list, which an accident would leave empty too."""
    since = {"updated_since": "1970-01-01T00:00:00Z"} if table == "tickets" else {}
    pages = api.pages(table, since, NumberedPages())
    if not next(pages, list[Row]()):
        raise SourceError(
            f"Freshdesk answers no {table} at all, where {rows_before} rows of the month are "
            f"landed. If that is right, land the month with the run config {ALLOW_SHRINK}"
        )


def _tickets(
    api: FreshdeskApi, page_cap: int, start: datetime, end: datetime
) -> Iterator[list[Row]]:
    """Yield the tickets of a window; without `updated_since` the API hides those of old."""
    include = {"include": ",".join(_INCLUDED)}
    for mark in ("", *TICKET_MARKS):
        paginator = UpdatedSince(start, end, page_cap)
        state = {"filter": mark} if mark else {}
        # An instant is read again until two readings agree.
        for page in api.pages("tickets", {**include, **state}, paginator, may_repeat=True):
            rows = (row for row in paginator.unseen(page) if start <= updated_at(row) < end)
            yield [_marked(row, TICKET_MARKS, mark) for row in rows]


def _list(table: str, api: FreshdeskApi, since: datetime) -> Iterator[list[Row]]:
    """Yield the whole list, of contacts only what changed since."""
    marks = MARKS.get(table, ())
    window = {"_updated_since": since.strftime("%Y-%m-%dT%H:%M:%SZ")} if marks else {}
    for mark in ("", *marks):
        state = {"state": mark} if mark else {}
        for page in api.pages(table, {**window, **state}, NumberedPages()):
            yield [_marked(row, marks, mark) for row in page]


def _marked(row: Row, marks: tuple[str, ...], mark: str) -> Row:
    """Return the row with every mark as true or false; it has that of its pass in any case."""
    return {**row, **{each: bool(row.get(each)) or each == mark for each in marks}}


def _landed(row: Row) -> Row:
    """Return the row with `custom_fields` as JSON, and a column for each that has a plain value.

    A field that is null in every row gives no hint of its type, so the JSON alone has it.
    """
    custom = row.get("custom_fields")
    if not isinstance(custom, dict):
        return row
    fields = cast(dict[str, Any], custom)
    scalars = {
        f"custom_fields__{name}": value
        for name, value in fields.items()
        if value is not None and not isinstance(value, dict | list)
    }
    # As text, because what is nested in it must stay as it is.
    return {**row, **scalars, "custom_fields": json.dumps(fields)}
