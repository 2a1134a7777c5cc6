"""How Freshdesk's lists are paged through without missing what changes in the meantime."""

from datetime import UTC, datetime
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from pipelines_project.sources.api_calls import SourceError

Row = dict[str, Any]

PER_PAGE = 100
"""The most that Freshdesk gives (API v2, "Pagination")."""
_MOST_READINGS = 10


def updated_at(row: Any) -> datetime:
    """Return when a row was last changed, in UTC.

    Raises:
        SourceError: it is no row with an `id` and an `updated_at`.
    """
    try:
        moment = datetime.fromisoformat(row["updated_at"])
        _ = row["id"] + 0
    except (TypeError, KeyError, ValueError) as error:
        raise SourceError(
            f"Freshdesk answered {str(row)[:80]!r}, which has no id with an updated_at"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class NumberedPages(BasePaginator):
    """Page after page, for lists that Freshdesk gives no order to choose for."""

    def __init__(self) -> None:
        """Begin with page 1."""
        super().__init__()
        self._page = 1
        self._previous: list[Row] = []

    def init_request(self, request: requests.Request) -> None:
        """Ask for page 1."""
        self.update_request(request)

    def update_state(self, response: requests.Response, data: list[Row] | None = None) -> None:
        """Go on until a page is not full.

        Raises:
            SourceError: the same full page came twice, so paging would never end.
        """
        rows = data or []
        self._has_next_page = _has_next(response, rows)
        if self._has_next_page and rows and rows == self._previous:
            raise SourceError(f"Freshdesk answered {response.url} with the page before")
        self._page, self._previous = self._page + 1, rows

    def update_request(self, request: requests.Request) -> None:
        """Ask for the next page."""
        _set(request, page=self._page)


class UpdatedSince(BasePaginator):
    """Tickets in the order of their last change, from one instant up to another.

    A ticket that is changed leaves its place for the end of this order, and all behind it move up:
    the first ticket of page 2 is then on page 1, which was read already. So after every page the
    list is asked for anew, as page 1 from the page's last `updated_at` on; no ticket can slip
    through, and the limit of 300 pages is never met. Only tickets of one instant that do not fit on
    a page need page 2. Because they move up as well, their instant is read again until two
    readings agree: nothing had left it during the first.
    """

    def __init__(self, start: datetime, end: datetime, page_cap: int) -> None:
        """Begin at `start`; stop when `end` is passed.

        Args:
            start: the first instant, in whole seconds, as `updated_since` takes them.
            end: the instant at which no ticket is wanted any more.
            page_cap: the number of the last page that Freshdesk gives.
        """
        super().__init__()
        self._since, self._end, self._page_cap = start, end, page_cap
        self._seen: set[tuple[int, datetime]] = set()
        self._begin_instant()

    def unseen(self, rows: list[Row]) -> list[Row]:
        """Return the rows that no earlier page had, or had with another `updated_at`."""
        keys = [(row["id"], updated_at(row)) for row in rows]
        new = [row for key, row in zip(keys, rows, strict=True) if key not in self._seen]
        # What is older than the instant that is asked for next cannot come again.
        self._seen = {key for key in {*self._seen, *keys} if key[1] >= self._since}
        return new

    def init_request(self, request: requests.Request) -> None:
        """Ask for the beginning."""
        self.update_request(request)

    def update_state(self, response: requests.Response, data: list[Row] | None = None) -> None:
        """Decide from a page which one to ask for next, if any.

        Raises:
            SourceError: the page is not in order, or its instant has more tickets than Freshdesk
                lists.
        """
        rows = data or []
        instants = [updated_at(row).replace(microsecond=0) for row in rows]
        if instants != sorted(instants):
            raise SourceError(f"Freshdesk answered {response.url} out of the order of updated_at")
        here = {row["id"] for row, at in zip(rows, instants, strict=True) if at == self._since}
        self._reading |= here
        has_next, last = _has_next(response, rows), max(instants, default=self._since)
        is_instant_read = last > self._since or not has_next
        if is_instant_read and self._page > 1 and self._reading != self._reading_before:
            self._read_instant_again()
        elif not has_next or last >= self._end:
            self._has_next_page = False
        elif last > self._since:
            self._since = last
            self._begin_instant()
        else:
            self._turn_page()

    def update_request(self, request: requests.Request) -> None:
        """Ask for the next page."""
        since = self._since.strftime("%Y-%m-%dT%H:%M:%SZ")
        order = {"order_by": "updated_at", "order_type": "asc"}
        _set(request, page=self._page, updated_since=since, **order)

    def _begin_instant(self) -> None:
        self._page, self._readings = 1, 1
        self._reading: set[int] = set()
        self._reading_before: set[int] | None = None

    def _read_instant_again(self) -> None:
        if self._readings >= _MOST_READINGS:
            raise SourceError(
                f"{_MOST_READINGS} readings of the tickets updated at {self._since.isoformat()} all"
                " differ: they change faster than they can be listed. Run again later"
            )
        self._reading_before, self._reading = self._reading, set()
        self._page, self._readings = 1, self._readings + 1

    def _turn_page(self) -> None:
        if self._page >= self._page_cap:
            raise SourceError(
                f"more than {self._page_cap * PER_PAGE} tickets have the updated_at "
                f"{self._since.isoformat()}, and Freshdesk lists no more of one instant. Change "
                "some of them in Freshdesk, so that they leave it"
            )
        self._page += 1


def _set(request: requests.Request, **params: Any) -> None:
    # `params` is the dict that the request was made with, which the stubs do not say.
    before: Any = request.params or {}
    request.params = {**before, "per_page": PER_PAGE, **params}


def _has_next(response: requests.Response, rows: list[Row]) -> bool:
    """Tell whether more follow: a page can be short of what the key's owner may not see."""
    return len(rows) >= PER_PAGE or "next" in response.links
