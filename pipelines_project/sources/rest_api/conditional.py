"""Conditional requests: whether a month's answers are those that its current load was made from."""

from collections.abc import Iterator, Mapping

import requests

# One that takes more answers is fetched anew: its record would grow with them.
_MOST_ANSWERS = 100
_MADE_FOR = "settings"


class Etags:
    """The ETags of a month's answers, by their addresses and in the order of the requests."""

    def __init__(self, made_for: str, before: Mapping[str, str], facts: dict[str, str]) -> None:
        """Know those of the current load.

        Args:
            made_for: a digest of the settings that the answers depend on.
            before: the facts of the current load's record.
            facts: what a later fetching compares; kept up to date, and without ETags if an answer
                had none.
        """
        self._made_for, self._facts = made_for, facts
        self._before = dict[str, str]()
        if before.get(_MADE_FOR) == made_for:
            self._before = {
                name.partition(" ")[2]: etag
                for name, etag in sorted(before.items())
                if "://" in name
            }
        self._now: list[tuple[str, str]] = []
        self._is_complete = True

    def known(self, request: requests.PreparedRequest, url: str) -> Iterator[tuple[str, str]]:
        """Yield what is to be asked with its ETag before a month's first request is made.

        Args:
            request: the first request of the month, or a later one, for which nothing is.
            url: its address without a secret.
        """
        if request.method == "GET" and next(iter(self._before), None) == url:
            yield from [*self._before.items()]

    def forget(self) -> None:
        """Go on without conditions: an answer has changed."""
        self._before = {}

    def keep(
        self, request: requests.PreparedRequest, url: str, response: requests.Response
    ) -> None:
        """Remember the ETag of an answer."""
        etag = response.headers.get("ETag")
        if request.method != "GET" or response.status_code != 200 or not etag:
            # What is tried again has an answer that counts.
            self._is_complete &= response.status_code >= 500 or response.status_code == 429
        elif url not in dict(self._now):
            self._now.append((url, etag))
        self._facts.clear()
        self._facts.update(self._compared())

    def _compared(self) -> dict[str, str]:
        if not self._now or not self._is_complete or len(self._now) > _MOST_ANSWERS:
            return {}
        etags = {f"{at:03d} {url}": etag for at, (url, etag) in enumerate(self._now)}
        return {_MADE_FOR: self._made_for, **etags}
