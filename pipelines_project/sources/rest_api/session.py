"""A session with one API for a run: its authentication, its bounds, and what answers mean."""

from collections.abc import Callable

import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.api_client import host_session
from pipelines_project.sources.http.rate_limit import RateLimitedAdapter
from pipelines_project.sources.rest_api.auth import ApiKeyAuth
from pipelines_project.sources.rest_api.client import Client, FromEnvironment
from pipelines_project.sources.rest_api.transport import SecretTransport
from pipelines_project.sources.secrets import Secrets


class RestSession:
    """The way to one API with the secrets of now."""

    def __init__(self, client: Client, calls: ApiCalls) -> None:
        """Read the secrets and ask nothing yet.

        Raises:
            SourceError: an environment variable is not set.
        """
        self._client, self._calls = client, calls
        self.secrets = Secrets()
        self.auth: AuthConfigBase | None = None
        key = None
        if client.auth:
            self.auth = client.auth.made(self.secrets, calls)
            if isinstance(client.auth, ApiKeyAuth) and client.auth.in_query:
                key = client.auth.name, self.secrets.read(client.auth.api_key_env)
        self.key_parameter = key[0] if key else None
        adapter = RateLimitedAdapter(calls, client.rate_limit.limit, client.account)
        self.transport = SecretTransport(adapter, self.secrets, calls, key)
        headers = {name: self._header(value) for name, value in client.headers.items()}
        self.http = host_session("the API", client.base_url, headers, calls, self.transport)

    def check(self, response: requests.Response) -> None:
        """Refuse an answer of a bad status, or that is no JSON.

        Raises:
            SourceError: trying again is no use; it names the address and the setting.
            requests.HTTPError: the session is to try again.
        """
        try:
            self._calls.checked(self._refusals)(response)
        except (SourceError, requests.HTTPError) as error:
            told = self.secrets.hidden(str(error))
            if isinstance(error, requests.HTTPError):
                raise requests.HTTPError(told, response=response) from None
            raise SourceError(told) from None
        start = response.content[:80].lstrip()[:1]
        if not response.is_redirect and start not in (b"{", b"["):
            kind = response.headers.get("Content-Type", "no Content-Type")
            shown = self.secrets.hidden(repr(response.text[:80]))
            raise SourceError(
                f"{response.url} answered {shown} ({kind}), which is no JSON: correct "
                "client.base_url or endpoint.path"
            )

    def _header(self, value: str | FromEnvironment) -> str:
        return value if isinstance(value, str) else self.secrets.read(value.env)

    @property
    def _refusals(self) -> dict[int, Callable[[requests.Response], str]]:
        auth = self._client.auth
        named = [*(auth.variables if auth else [])]
        named += [each.env for each in self._client.headers.values() if not isinstance(each, str)]
        correct = f"correct {', '.join(named)}" if named else "set client.auth"
        return {
            401: lambda r: f"{_told(r)}: {correct}",
            403: lambda r: f"{_told(r)}: {correct}, whose owner must be allowed to read this",
            404: lambda r: f"{_told(r)}: correct client.base_url or endpoint.path",
        }


def _told(response: requests.Response) -> str:
    said = f": {response.text[:200]!r}" if response.content else ""
    return f"{response.url} answered {response.status_code} {response.reason or ''}{said}".rstrip()
