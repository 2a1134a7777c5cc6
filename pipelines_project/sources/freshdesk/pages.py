"""The rows and pages of Freshdesk's lists, and how a list without an order is paged through."""

from datetime import UTC, datetime
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from pipelines_project.sources.http.api_calls import SourceError

Row = dict[str, Any]

PER_PAGE = 100
"""The most that Freshdesk gives (API v2, "Pagination")."""


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

    def init_request(self, request: requests.Request) -> None:
        """Ask for page 1."""
        self.update_request(request)

    def update_state(self, response: requests.Response, data: list[Row] | None = None) -> None:
        """Go on until a page is not full."""
        self._has_next_page = has_next(response, data or [])
        self._page += 1

    def update_request(self, request: requests.Request) -> None:
        """Ask for the next page."""
        set_params(request, page=self._page)


def set_params(request: requests.Request, **params: Any) -> None:
    """Set query parameters of the next request, and the size of its page."""
    # `params` is the dict that the request was made with, which the stubs do not say.
    before: Any = request.params or {}
    request.params = {**before, "per_page": PER_PAGE, **params}


def has_next(response: requests.Response, rows: list[Row]) -> bool:
    """Tell whether more follow: a page can be short of what the key's owner may not see."""
    return len(rows) >= PER_PAGE or "next" in response.links
