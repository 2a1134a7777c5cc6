"""The way to one help desk's Freshdesk API v2: its address, the key, and what answers mean."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests.auth import AuthBase

from pipelines_project.sources.freshdesk.pages import Row
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.http.api_client import MOST_PAGES, ApiClient
from pipelines_project.sources.http.rate_limit import RateLimit

_SUBDOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.freshdesk\.com)?")
# Elsewhere than on this machine, http would show the key to whoever listens.
_ADDRESS = re.compile(
    r"(https://[\w.-]+|http://(localhost|127\.0\.0\.1|\[::1\]))(:[1-6]?[0-9]{1,4})?(/[\w./-]*)?",
    re.ASCII,
)


def checked_address(domain: str, url: str = "") -> str:
    """Return the address of the API, without a slash at its end.

    Args:
        domain: `FRESHDESK_DOMAIN`: `acme` or `acme.freshdesk.com`.
        url: `FRESHDESK_API_URL`: an address that takes the place of Freshdesk's own, or "".

    Raises:
        ValueError: names the setting that is missing, or would send the key elsewhere or unsealed.
    """
    if url:
        if not _ADDRESS.fullmatch(url):
            raise ValueError(
                f"FRESHDESK_API_URL is {url[:80]!r}: give an https address (http on this machine)"
            )
        return url.rstrip("/")
    if not domain:
        raise ValueError("FRESHDESK_DOMAIN is not set: give acme for acme.freshdesk.com")
    match = _SUBDOMAIN.fullmatch(domain.strip().lower())
    if not match:
        raise ValueError(
            f"FRESHDESK_DOMAIN is {domain[:80]!r}: give acme or acme.freshdesk.com, nothing else"
        )
    return f"https://{match[1]}.freshdesk.com/api/v2"


class FreshdeskAuth(AuthBase):
    """Basic authentication with the key as the user's name and `X` as the password."""

    def __init__(self, key: str) -> None:
        """Keep the key where no representation of this object shows it.

        Raises:
            ValueError: there is no key.
        """
        if not key.strip():
            raise ValueError("FRESHDESK_API_KEY is not set: the key is in your Freshdesk profile")
        self._header = f"Basic {b64encode(f'{key.strip()}:X'.encode()).decode()}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = self._header
        return request


class FreshdeskApi:
    """One help desk's API, asked one request at a time."""

    def __init__(
        self,
        address: str,
        key: str,
        calls: ApiCalls,
        limit: RateLimit,
        most_pages: int = MOST_PAGES,
    ) -> None:
        """Open a session that reaches nothing but the address's own host.

        Args:
            address: from `checked_address`.
            key: the API key.
            calls: counts the requests.
            limit: how much of the rate limit may be used.
            most_pages: of one list; one with more would perhaps never end.

        Raises:
            ValueError: there is no key.
        """
        self._client = ApiClient(
            "Freshdesk",
            address,
            calls,
            auth=FreshdeskAuth(key),
            limit=limit,
            refusals=_REFUSALS,
            most_pages=most_pages,
            advice="is FRESHDESK_DOMAIN right?",
        )

    def pages(
        self,
        path: str,
        params: Mapping[str, str],
        paginator: BasePaginator,
        may_repeat: bool = False,
    ) -> Iterator[list[Row]]:
        """Yield the pages of a list; as `ApiClient.pages` does, whose errors it raises."""
        return self._client.pages(path, paginator, params, may_repeat=may_repeat)


def _host(response: requests.Response) -> str:
    return urlsplit(response.url).netloc


def _list_name(response: requests.Response) -> str:
    return urlsplit(response.url).path.rpartition("/")[2]


_REFUSALS: dict[int, Callable[[requests.Response], str]] = {
    400: lambda r: f"Freshdesk refuses {r.url}: {r.text[:500]}",
    401: lambda r: f"{_host(r)} does not know the key: correct FRESHDESK_API_KEY",
    403: lambda r: (
        f"{_host(r)} refuses to list {_list_name(r)}: FRESHDESK_API_KEY must be the key of an "
        "agent who may see all of it, such as an administrator"
    ),
    404: lambda r: f"{_host(r)} has no help desk, or no {_list_name(r)}: correct FRESHDESK_DOMAIN",
}
