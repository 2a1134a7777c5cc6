"""What a source's HTTP session did: one place that counts requests and refuses bad answers."""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event, Timer
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

# A month of the busiest chess.com players is some 30 MB.
MAX_ANSWER_BYTES = 256 * 2**20
# The session's own timeout is one for each piece, and begins anew with every byte that drips in.
MAX_ANSWER_SECONDS = 900.0
_SHOWN = 200


class SourceError(Exception):
    """An answer that trying again cannot mend; its text says what to do."""


@dataclass
class ApiCalls:
    """The requests made so far, retries and redirects included, and the address of the last.

    Attributes:
        count: of the requests.
        last_url: the address of the last.
        began_at: an instant that no clock says to be after the first answer: neither this
            machine's nor, by the header `Date`, the service's.
        log: where waiting and trying again are told, so that a run is not silent meanwhile.
    """

    count: int = 0
    last_url: str = ""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    log: logging.Logger = field(default=logging.getLogger(__name__), repr=False, compare=False)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Return itself: whoever copies a session, as dlt does, makes no other run of it."""
        return self

    def note(self, response: requests.Response) -> None:
        """Note what the service's clock says, which may be behind this machine's."""
        with suppress(TypeError, ValueError):
            answered_at = parsedate_to_datetime(response.headers.get("Date", ""))
            self.began_at = min(self.began_at, answered_at.astimezone(UTC))

    def checked(
        self, refusals: Mapping[int, Callable[[requests.Response], str]]
    ) -> Callable[..., None]:
        """Return a response hook that raises on a bad status.

        Args:
            refusals: for a status that no retry can mend, the text of its `SourceError`.

        Returns:
            A hook for `requests`. What the session tries again, 429 and 5xx, raises
            `requests.HTTPError`, any other bad status `SourceError`.
        """

        def check(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
            if response.ok:
                return
            if explain := refusals.get(response.status_code):
                raise SourceError(explain(response))
            if response.status_code < 500 and response.status_code != 429:
                raise SourceError(
                    f"{response.url} answered {response.status_code} {response.reason or ''}: "
                    f"{response.text[:_SHOWN]!r}"
                )
            response.raise_for_status()

        return check


class CountingAdapter(HTTPAdapter):
    """Counts a request as it goes out, because an answer that is lost on its way never arrives."""

    def __init__(self, calls: ApiCalls) -> None:
        """Count into `calls`."""
        super().__init__()
        self._calls = calls

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to the request, its body still unread."""
        self._calls.count += 1
        self._calls.last_url = request.url or ""
        response = super().send(request, *args, **kwargs)
        self._calls.note(response)
        return response


class BoundedAdapter(CountingAdapter):
    """Reads an answer whole, unless it is larger or takes longer than any that is expected."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to the request."""
        return _checked(super().send(request, *args, **kwargs))


def _checked(response: requests.Response) -> requests.Response:
    """Return the answer, read whole, unless it is too large or leads elsewhere."""
    with _time_limit(response):
        _read(response)
    _refuse_other_host(response)
    return response


def _read(response: requests.Response) -> None:
    """Read the body, which a few compressed bytes can make as large as they like.

    Raises:
        SourceError: it is larger than `MAX_ANSWER_BYTES`.
    """
    chunks, size = list[bytes](), 0
    content: Iterator[Any] = response.iter_content(2**20)
    for chunk in content:
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise SourceError(f"{response.url} answered with more than {MAX_ANSWER_BYTES} bytes")
    # Where requests keeps a body that it has read; it has no public way to hand one over.
    setattr(response, "_content", b"".join(chunks))  # noqa: B010


@contextmanager
def _time_limit(response: requests.Response) -> Generator[None]:
    """Stop reading when `MAX_ANSWER_SECONDS` are over.

    Raises:
        requests.exceptions.ReadTimeout: they are over; the session then tries again, as it does
            when nothing comes at all.
    """
    is_over = Event()

    def stop() -> None:
        is_over.set()
        # The answer may have been read, and its connection given back, just now.
        with suppress(ValueError, RuntimeError, OSError):
            response.raw.shutdown()

    timer = Timer(MAX_ANSWER_SECONDS, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except requests.RequestException:
        if not is_over.is_set():
            raise
    finally:
        timer.cancel()
    if is_over.is_set():
        raise requests.exceptions.ReadTimeout(
            f"it was not whole within {MAX_ANSWER_SECONDS:.0f} s", request=response.request
        )


def _refuse_other_host(response: requests.Response) -> None:
    """Refuse a redirect to another host, or from https to http.

    Whoever is there would get the key or the contact, and answer in the API's name.

    Raises:
        SourceError: it is one.
    """
    target = urljoin(response.url, response.headers.get("Location", ""))
    if response.is_redirect and _origin(target) != _origin(response.url):
        raise SourceError(
            f"{_origin(response.url)} redirects to {target[:200]!r}, which is not asked: correct "
            "the address of the API in the settings"
        )


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url.lower()))
