"""How Freshdesk's tickets are paged through without missing what changes in the meantime."""

from datetime import datetime

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from pipelines_project.sources.freshdesk.pages import (
    PER_PAGE,
    Row,
    has_next,
    set_params,
    updated_at,
)
from pipelines_project.sources.http.api_calls import SourceError

_MOST_READINGS = 10


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
        more, last = has_next(response, rows), max(instants, default=self._since)
        is_instant_read = last > self._since or not more
        if is_instant_read and self._page > 1 and self._reading != self._reading_before:
            self._read_instant_again()
        elif not more or last >= self._end:
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
        set_params(request, page=self._page, updated_since=since, **order)

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
