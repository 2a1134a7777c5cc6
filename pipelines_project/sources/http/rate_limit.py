"""Keeping to a service's rate limit: slow down before it is reached, wait when it is."""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from pipelines_project.sources.http.api_calls import ApiCalls, BoundedAdapter, SourceError
from pipelines_project.sources.http.request_ledger import RequestLedger, new_request

_SHORTEST_WAIT_SECONDS = 1.0
_TOLD_WAIT_SECONDS = 5.0
_ANSWER_LOOK_SECONDS = 0.05
_COUNTS = ("Total", "Remaining")


@dataclass(frozen=True)
class RateLimit:
    """How much of a service's rate limit may be used, and how long to wait for it.

    Attributes:
        reserve: the credits that stay free for others, but never more than half of them all.
        max_wait_seconds: how long one request may be put off by 429 answers in all.
        window_seconds: how long it takes until the service counts anew.
        requests_per_minute: how many are sent at most, by all runs; None for what the answers say.
        setting: what `max_wait_seconds` is called where it is set.
        credits: what a request counts, until an answer has said so.
    """

    reserve: int = 50
    max_wait_seconds: float = 3600.0
    window_seconds: float = 60.0
    requests_per_minute: float | None = None
    setting: str = "rate_limit_wait_seconds"
    credits: int = 1

    @property
    def counted_seconds(self) -> float:
        """How long a window is; longer than the service's where less than one request fits it."""
        return max(self.window_seconds, 60 / (self.requests_per_minute or math.inf))

    @property
    def requests(self) -> float | None:
        """How many requests a window may hold, None if no setting says so."""
        if self.requests_per_minute is None:
            return None
        return max(1.0, self.requests_per_minute * self.window_seconds / 60)

    def of(self, total: int | None) -> float | None:
        """Return how many credits a window may hold, given how many the service allows."""
        if not total:
            return self.requests
        told = total - min(self.reserve, total / 2)
        return min(told, self.requests or told)


class RateLimitedAdapter(BoundedAdapter):
    """Sends a request when the limit that all runs of the account share has room for it.

    What is allowed is what the settings say, or what answers have said to any run; while there is
    neither, one request at a time is sent. The headers are those of Freshdesk: `X-RateLimit-Total`,
    `X-RateLimit-Remaining`, `X-RateLimit-Used-CurrentRequest`, `Retry-After`. A 429 is dealt with
    here and never reaches the session's own retries, whose few attempts may end before the wait
    does.
    """

    def __init__(self, calls: ApiCalls, limit: RateLimit, account: str) -> None:
        """Open the ledger of the account's requests.

        Args:
            calls: counts the requests.
            limit: how much may be used.
            account: whose limit it is; all runs that name the same share it.
        """
        super().__init__(calls)
        self._limit, self._log = limit, calls.log
        self._ledger = RequestLedger(account, limit.counted_seconds)
        self._credits = limit.credits
        # What any session was told counts for this one, until it is told itself.
        self._told: list[int | None] = []
        self._given_up = ""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to the request, which is no 429.

        Raises:
            SourceError: 429 answers put the request off for longer than `max_wait_seconds`. Every
                later request then fails at once, so that a run of many months waits only once.
        """
        if self._given_up:
            raise SourceError(self._given_up)
        waited = 0.0
        while True:
            entered = self._enter()
            try:
                response = super().send(request, *args, **kwargs)
            except BaseException:
                self._ledger.answered(entered, self._credits)
                raise
            self._note(entered, response.headers)
            if response.status_code != 429:
                return response
            # A body that stays unread would keep its connection open.
            _ = response.content
            waited += self._put_off(response, waited)

    def _enter(self) -> str:
        """Wait until the request may be sent, and return its id."""
        request = new_request()
        while wait := self._ledger.enter(request, self._credits, self._allowed()):
            if not self._is_limit_known:
                wait = min(wait, _ANSWER_LOOK_SECONDS)
            elif wait >= _TOLD_WAIT_SECONDS:
                self._log.warning(f"waiting {wait:.0f} s: the rate limit is used up for now")
            time.sleep(wait)
        return request

    @property
    def _is_limit_known(self) -> bool:
        return bool(self._told) or self._limit.requests is not None

    def _allowed(self) -> float | None:
        """Return how many credits a window may hold; before any answer one request, whatever."""
        told = self._told = self._told or self._ledger.told()
        if told or self._limit.requests is not None:
            return self._limit.of(told[0] if told else None)
        return 0

    def _note(self, entered: str, headers: Mapping[str, str]) -> None:
        """Learn from an answer what a request costs, what is allowed, and what others have used."""
        total, remaining = (_number(headers, f"X-RateLimit-{each}") for each in _COUNTS)
        self._credits = _number(headers, "X-RateLimit-Used-CurrentRequest") or self._credits
        used = total - remaining if total and remaining is not None else None
        self._ledger.answered(entered, self._credits, used, total)
        if total or not self._told:
            self._told = [total]

    def _put_off(self, response: requests.Response, waited: float) -> float:
        """Put off this request, and those of all runs; return for how long."""
        header = response.headers.get("Retry-After", "")
        seconds = retry_after_seconds(header, self._limit.window_seconds)
        if waited + seconds > self._limit.max_wait_seconds:
            self._given_up = (
                f"{urlsplit(response.url).hostname} answers 429, the rate limit is used up: it asks"
                f" to wait {seconds:.0f} s, after {waited:.0f} s of waiting for this request, and "
                f"{self._limit.setting} is {self._limit.max_wait_seconds:.0f}. Run again later, "
                "or raise it"
            )
            raise SourceError(self._given_up)
        self._log.warning(f"waiting {seconds:.0f} s: the service answers 429")
        self._ledger.put_off(seconds)
        return seconds


def retry_after_seconds(header: str, default: float) -> float:
    """Return how long a `Retry-After` header asks to wait, given in seconds or as an HTTP date.

    At least one second (RFC 9110, section 10.2.3, allows 0); `default` if it says neither.
    """
    if re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", header):
        return max(float(header), _SHORTEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return default
    # The zone "-0000" is read as no zone at all.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), _SHORTEST_WAIT_SECONDS)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if re.fullmatch("[0-9]+", value) else None
