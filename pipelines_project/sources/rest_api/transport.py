"""How requests go out: with the secrets added last, on condition, and errors without secrets."""

from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter

from pipelines_project.sources.fetch import NotModifiedError
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.rest_api.conditional import Etags
from pipelines_project.sources.secrets import Secrets, without_parameter


class SecretTransport(BaseAdapter):
    """Hands requests to another adapter, and lets nobody before it see a secret in an address.

    A key that goes into the query is added here, so that neither dlt's log nor an error shows it,
    and taken out of the links to next pages, in which some services repeat it.
    """

    def __init__(
        self,
        sending: BaseAdapter,
        secrets: Secrets,
        calls: ApiCalls,
        key: tuple[str, str] | None = None,
    ) -> None:
        """Send nothing yet.

        Args:
            sending: sends the requests.
            secrets: what to hide.
            calls: tells what was asked last.
            key: the name and the value of a query parameter.
        """
        super().__init__()
        self._sending, self._secrets, self._calls, self._key = sending, secrets, calls, key
        self.etags = Etags("", {}, {})

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to a request.

        Raises:
            NotModifiedError: this and all that follow would be answered as they were before.
        """
        url = self._without_key(request.url or "")
        is_known = False
        for known_url, etag in self.etags.known(request, url):
            is_known = True
            response = self._sent(request, known_url, etag, *args, **kwargs)
            if response.status_code != requests.codes.not_modified:
                self.etags.forget()
                if known_url == url:
                    return self._kept(request, url, response)
                is_known = False
                break
        if is_known:
            raise NotModifiedError
        return self._kept(request, url, self._sent(request, url, "", *args, **kwargs))

    def close(self) -> None:
        """Close the connections."""
        self._sending.close()

    def _kept(self, request: requests.PreparedRequest, url: str, response: Any) -> Any:
        self.etags.keep(request, url, response)
        return response

    def _sent(
        self, request: requests.PreparedRequest, url: str, etag: str, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Return the answer, whose address and errors hold no secret."""
        sent = request.copy()
        sent.url = self._with_key(url)
        if etag:
            sent.headers["If-None-Match"] = etag
        try:
            response = self._sending.send(sent, *args, **kwargs)
        except (SourceError, requests.RequestException) as error:
            raise type(error)(self._secrets.hidden(str(error))) from None
        finally:
            self._calls.last_url = self._secrets.hidden(self._calls.last_url)
        response.url, response.request = url, request
        return response

    def _without_key(self, url: str) -> str:
        return without_parameter(url, self._key[0]) if self._key else url

    def _with_key(self, url: str) -> str:
        if self._key is None:
            return url
        parts = urlsplit(url)
        query = "&".join(filter(None, [parts.query, urlencode([self._key])]))
        return urlunsplit(parts._replace(query=query))
