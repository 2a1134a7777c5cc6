"""Pages that end: whatever dlt's paginator does, with bounds, and with what must not happen."""

import hashlib
from typing import Any

import requests
from dlt.sources.helpers.rest_client.detector import (
    RECORD_KEY_PATTERNS,
    PaginatorFactory,
    find_response_page_data,
)
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from pipelines_project.sources.http.answers import has_list
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.secrets import Secrets, without_parameter

_SHOWN = 300


class BoundedPages(BasePaginator):
    """Asks for the pages that another paginator names, and refuses a list that goes astray.

    That is one with too many pages, with one request twice, with the same page again, or with an
    answer that lacks the rows. dlt makes a copy for each list, so what is remembered is of one.
    """

    def __init__(
        self,
        pages: BasePaginator | None,
        *,
        rows_at: str | None,
        most_pages: int,
        bound: str,
        may_repeat: bool,
        secrets: Secrets,
        key_parameter: str | None,
    ) -> None:
        """Ask for nothing yet.

        Args:
            pages: tells the next page; None if it is to be told from the first answer.
            rows_at: the JSON path of the rows; None if it is to be told from the first answer.
            most_pages: how many pages may have rows.
            bound: the setting that says so.
            may_repeat: whether a page can rightly be the same as the one before.
            secrets: what errors must not show.
            key_parameter: the query parameter that holds the key, which a service may repeat in
                its links to next pages.
        """
        super().__init__()
        self._pages, self._rows_at = pages, rows_at
        self._most_pages, self._bound, self._may_repeat = most_pages, bound, may_repeat
        self._secrets, self._key_parameter = secrets, key_parameter
        self._number = 0
        self._asked: set[bytes] = set()
        self._previous: list[Any] = []

    @property
    def has_next_page(self) -> bool:
        """Whether the other paginator names one more."""
        return self._pages is None or self._pages.has_next_page

    def init_request(self, request: requests.Request) -> None:
        """Prepare the first request."""
        if self._pages:
            self._pages.init_request(request)

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Look at a page, and learn what the next is.

        Raises:
            SourceError: the list has gone astray; it names the address and the setting.
        """
        rows = data or []
        self._number += 1
        self._check_rows(response, rows)
        self._check_request(response)
        self._check_page(response, rows)
        if self._pages is None:
            self._pages, _ = PaginatorFactory().create_paginator(response)
        try:
            self._pages.update_state(response, data)
        except ValueError as error:
            raise self._refusal(
                f"{response.url} cannot be paged on from: {str(error)[:_SHOWN]}: correct the "
                "paginator"
            ) from None

    def update_request(self, request: requests.Request) -> None:
        """Prepare the next request."""
        if self._pages:
            self._pages.update_request(request)
        if self._key_parameter:
            request.url = without_parameter(str(request.url), self._key_parameter)

    def _check_rows(self, response: requests.Response, rows: list[Any]) -> None:
        """Refuse an answer whose rows are not where they should be."""
        if self._rows_at is None:
            self._rows_at = self._found_rows(response)
        # What follows is a place in each of the rows.
        rows_at = self._rows_at.partition("[*]")[0] or "$"
        if not rows and not has_list(rows_at, response):
            raise self._refusal(
                f"{response.url} answered {response.text[:80]!r} without {rows_at!r}: correct "
                "endpoint.data_selector"
            )

    def _check_request(self, response: requests.Response) -> None:
        """Refuse a request that the list has made before: from here on it goes round."""
        asked: Any = response.request
        body = asked.body if isinstance(asked.body, bytes) else str(asked.body).encode()
        digest = hashlib.sha256(f"{asked.method} {asked.url}\n".encode() + body).digest()
        if digest in self._asked:
            raise self._refusal(
                f"{response.url} is asked for twice: page {self._number} leads back to a page "
                "before. Correct the paginator"
            )
        self._asked.add(digest)

    def _check_page(self, response: requests.Response, rows: list[Any]) -> None:
        if rows and self._number > self._most_pages:
            raise self._refusal(
                f"{response.url} is page {self._number} of the list, and {self._bound} allows "
                f"{self._most_pages}: if there are so many, raise it"
            )
        if rows and rows == self._previous and not self._may_repeat:
            raise self._refusal(
                f"{response.url} answered with the page before: correct the paginator, or set "
                "endpoint.pages_may_repeat if that can be right"
            )
        self._previous = [*rows]

    def _found_rows(self, response: requests.Response) -> str:
        """Return the JSON path of the rows if there is one way to take the answer.

        Raises:
            SourceError: there is not; dlt would take an object, or its list of errors, for rows.
        """
        path, found = find_response_page_data(response.json())
        if isinstance(found, list) and (path == ("$",) or path[-1] in RECORD_KEY_PATTERNS):
            return ".".join(path)
        advice = f"'{'.'.join(path)}'" if isinstance(found, list) else "$ if the answer is the row"
        raise self._refusal(
            f"{response.url} answered {response.text[:80]!r}, in which no rows can be told: set "
            f"endpoint.data_selector, such as {advice}"
        )

    def _refusal(self, text: str) -> SourceError:
        return SourceError(self._secrets.hidden(text))
