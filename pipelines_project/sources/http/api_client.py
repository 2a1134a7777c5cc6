"""The way to an API for a new source: pages of rows, with every guard that a source needs."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.client import PageData, RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase

from pipelines_project.sources.http.answers import Refusals, has_list, json_list, json_object
from pipelines_project.sources.http.api_calls import (
    ApiCalls,
    BoundedAdapter,
    SourceError,
)
from pipelines_project.sources.http.rate_limit import RateLimit, RateLimitedAdapter
from pipelines_project.sources.http.session import retrying_session

MOST_PAGES = 20_000
"""Two million rows of 100 a page, which are an hour and a half of requests at 200 a minute."""


class ApiClient:
    """One API, asked one request at a time over dlt's REST client.

    Its session tries 429, 5xx and lost connections again, honours `Retry-After`, and counts every
    request. An answer is refused that is too large, leads to another host, has another bad status,
    or is not JSON of the expected kind. So are pages without end.
    """

    def __init__(
        self,
        name: str,
        address: str,
        calls: ApiCalls,
        *,
        headers: Mapping[str, str] | None = None,
        auth: AuthBase | None = None,
        limit: RateLimit | None = None,
        refusals: Refusals | None = None,
        most_pages: int = MOST_PAGES,
        advice: str = "",
    ) -> None:
        """Open a session that reaches nothing but the address's own host.

        Args:
            name: of the service, for errors.
            address: of the API, without a slash at its end.
            calls: counts the requests.
            headers: sent with every request.
            auth: adds the key to a request.
            limit: how much of the rate limit may be used that all runs on this host share.
            refusals: for a status that no retry can mend, what to say.
            most_pages: of one list; one with more would perhaps never end.
            advice: what to correct if an answer is no JSON, such as a setting.
        """
        self._name, self._most_pages, self._advice = name, most_pages, advice
        host = urlsplit(address).netloc
        adapter = RateLimitedAdapter(calls, limit, host) if limit else BoundedAdapter(calls)
        session = host_session(name, address, headers or {}, calls, adapter)
        self._client = RESTClient(address, auth=auth, session=session)
        self._check_status = calls.checked(refusals or {})

    def pages(
        self,
        path: str,
        paginator: BasePaginator,
        params: Mapping[str, str] | None = None,
        *,
        rows_at: str = "$",
        may_repeat: bool = False,
    ) -> Iterator[PageData[Any]]:
        """Yield the pages of a list, each a list of rows with its `response`.

        Args:
            path: after the address.
            paginator: dlt's, or one of the source's own.
            params: of the first request's query.
            rows_at: the JSON path of the rows in an answer; `$` for an answer that is a list.
            may_repeat: whether a page can rightly be the same as the one before.

        Raises:
            SourceError: for an answer that is refused, and for a list that has too many pages or
                the same one twice; it says what to do.
        """
        is_list = rows_at == "$"
        check_kind = json_list(self._advice) if is_list else json_object(self._advice)
        hooks: Any = {"response": [self._check_status, check_kind]}
        previous: list[Any] = []
        pages = self._client.paginate(
            path, params={**(params or {})}, paginator=paginator, hooks=hooks, data_selector=rows_at
        )
        for number, page in enumerate(pages, 1):
            url = page.response.url
            if number > self._most_pages:
                raise SourceError(
                    f"{self._name} answers more than {self._most_pages} pages of {path}: if there "
                    "are so many, raise most_pages in defs.yaml"
                )
            if page and page == previous and not may_repeat:
                raise SourceError(f"{self._name} answered {url} with the page before")
            if not page and not is_list and not has_list(rows_at, page.response):
                raise SourceError(f"{self._name} answered {url} without {rows_at!r}{self._ending}")
            previous = [*page]
            yield page

    @property
    def _ending(self) -> str:
        return self._advice and f": {self._advice}"


def host_session(
    name: str,
    address: str,
    headers: Mapping[str, str],
    calls: ApiCalls,
    adapter: BaseAdapter | None = None,
) -> requests.Session:
    """Return a retrying session that reaches nothing but the address's own host.

    Args:
        name: of the service, for errors.
        address: any address of the host.
        headers: sent with every request.
        calls: counts the requests.
        adapter: sends them; one that bounds an answer's size and time by default.
    """
    session = retrying_session(headers, calls)
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
    elsewhere = _Elsewhere(name, origin)
    session.adapters.clear()
    session.mount(origin, adapter or BoundedAdapter(calls))
    for prefix in ("https://", "http://"):
        session.mount(prefix, elsewhere)
    return session


class _Elsewhere(HTTPAdapter):
    """Refuses a request to another host, which an answer's link to its next page may name."""

    def __init__(self, name: str, origin: str) -> None:
        super().__init__()
        self._name, self._origin = name, origin

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> Any:
        raise SourceError(
            f"{self._name} at {self._origin} leads to {(request.url or '')[:200]!r}, which is not "
            "asked: correct the address of the API in the settings"
        )
