"""What a source's HTTP session did: one place that counts requests and refuses bad answers."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
from dlt.sources.helpers.requests import Client
from hishel import Entry, Request, Response, SqliteStorage
from hishel.requests import CacheAdapter
from requests.adapters import HTTPAdapter

# A month of the busiest chess.com players is some 30 MB.
MAX_ANSWER_BYTES = 256 * 2**20
_SHOWN = 200


class SourceError(Exception):
    """An answer that trying again cannot mend; its text says what to do."""


class HttpCache(NamedTuple):
    """A file of kept answers, and how large it may grow; what was used last stays."""

    path: Path
    max_bytes: int

    def count(self, part_of_url: str) -> int:
        """Return how many answers are kept whose address has this part."""
        with self._opened() as database:
            if not database.execute(_HAS_TABLES).fetchone()[0]:
                return 0
            return database.execute(_COUNT, (part_of_url.encode(),)).fetchone()[0]

    def forget(self, part_of_url: str) -> None:
        """Delete the answers whose address has this part, from the file's free pages too."""
        with self._opened() as database:
            if self.count(part_of_url):
                for statement in _FORGET:
                    database.execute(statement, (part_of_url.encode(),))
            # Also if nothing is there: the one before may have been killed after the deletion.
            database.execute("vacuum")
            database.execute("pragma wal_checkpoint(truncate)")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file, or an empty database in memory where there is none."""
        name = self.path if self.path.exists() else ":memory:"
        with closing(sqlite3.connect(name, timeout=60, isolation_level=None)) as database:
            yield database


# The tables are hishel's; a request is in `data`, its address in plain text.
_HAS_TABLES = "select count(*) from sqlite_master where name = 'entries'"
_COUNT = "select count(*) from entries where instr(data, ?) > 0"
_FORGET = (
    "delete from streams where entry_id in (select id from entries where instr(data, ?) > 0)",
    "delete from entries where instr(data, ?) > 0",
)


@dataclass
class ApiCalls:
    """The requests made so far, retries and redirects included, and the address of the last."""

    count: int = 0
    last_url: str = ""

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
        return super().send(request, *args, **kwargs)


class BoundedAdapter(CountingAdapter):
    """Reads an answer whole, unless it is larger than any that is expected."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to the request."""
        return _checked(super().send(request, *args, **kwargs))


class _NewestAnswers(SqliteStorage):
    """Keeps the newest answer of an address.

    Of several, hishel asks whether the newest still holds, and then gives the oldest, unless a
    strong ETag or Last-Modified tells them apart.
    """

    def get_entries(self, key: str) -> list[Entry]:
        """Return the kept answer, if it is the only one; processes may have kept one each."""
        entries = super().get_entries(key)
        return entries if len(entries) == 1 else []

    def create_entry(self, request: Request, response: Response, key: str, **limits: Any) -> Entry:
        """Keep an answer in place of those before."""
        for entry in super().get_entries(key):
            self.remove_entry(entry.id)
        return super().create_entry(request, response, key, **limits)


class RevalidatingAdapter(CacheAdapter, CountingAdapter):
    """Keeps answers on disk, and asks whether they still hold each time they are wanted.

    An answer of 304 costs no body; the caller gets the one that was kept, with status 200.
    """

    def __init__(self, calls: ApiCalls, cache: HttpCache) -> None:
        """Keep answers in `cache`."""
        CountingAdapter.__init__(self, calls)
        # hishel keeps a file that is named without a folder in one of its own.
        path = cache.path.absolute()
        self.storage = _NewestAnswers(database_path=path, max_size=cache.max_bytes)
        self.rfc = True

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to the request.

        Raises:
            SourceError: it is refused, or the cache's file is a database of something else.
        """
        request.headers["Cache-Control"] = "no-cache"
        try:
            return _checked(super().send(request, *args, **kwargs))
        except RuntimeError as error:
            path = self.storage.database_path
            raise SourceError(f"answers cannot be kept in {path}: {error}") from error


def _checked(response: requests.Response) -> requests.Response:
    """Return the answer, read whole, unless it is too large or leads elsewhere."""
    _read(response)
    _refuse_other_host(response)
    return response


def _read(response: requests.Response) -> None:
    """Read the body, which a few compressed bytes can make as large as they like.

    Raises:
        SourceError: it is larger than `MAX_ANSWER_BYTES`.
    """
    chunks, size = [], 0
    for chunk in response.iter_content(2**20):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise SourceError(f"{response.url} answered with more than {MAX_ANSWER_BYTES} bytes")
    # Where requests keeps a body that it has read; it has no public way to hand one over.
    response._content = b"".join(chunks)


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


def retrying_session(
    headers: Mapping[str, str], calls: ApiCalls, cache: HttpCache | None = None
) -> requests.Session:
    """Return dlt's HTTP session: bounded retries on 429, 5xx and lost connections, all counted.

    `Retry-After` is honoured. The bounds are dlt's own settings, `RUNTIME__REQUEST_MAX_ATTEMPTS`,
    `RUNTIME__REQUEST_BACKOFF_FACTOR` and `RUNTIME__REQUEST_MAX_RETRY_DELAY`.

    Args:
        headers: sent with every request.
        calls: counts the requests.
        cache: where answers are kept that say by an ETag what they are; None to keep none.
    """
    client = Client(raise_for_status=False)
    client.configure()
    client.session.headers.update(headers)
    adapter = RevalidatingAdapter(calls, cache) if cache else BoundedAdapter(calls)
    for scheme in ("http://", "https://"):
        client.session.mount(scheme, adapter)
    return client.session
