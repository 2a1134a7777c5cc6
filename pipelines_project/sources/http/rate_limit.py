"""Keeping to a service's rate limit: slow down before it is reached, wait when it is."""

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

_SHORTEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class RateLimit:
    """How much of a service's rate limit may be used, and how long to wait for it.

    Attributes:
        reserve: the credits that stay free for others, but never more than half of them all.
        max_wait_seconds: how long one request may be put off by 429 answers in all.
        window_seconds: how long it takes until the service counts anew.
        requests_per_minute: how many are sent at most; None for no limit of one's own.
        setting: what `max_wait_seconds` is called where it is set.
    """

    reserve: int = 50
    max_wait_seconds: float = 3600.0
    window_seconds: float = 60.0
    requests_per_minute: float | None = None
    setting: str = "rate_limit_wait_seconds"


class RateLimitedAdapter(BoundedAdapter):
    """Sends a request when the rate limit allows it, by the headers of the answers before.

    The headers are those of Freshdesk: `X-RateLimit-Total`, `X-RateLimit-Remaining`,
    `X-RateLimit-Used-CurrentRequest`, `Retry-After`. A 429 is dealt with here and never reaches
    the session's own retries, whose few attempts may end before the wait does.
    """

    def __init__(self, calls: ApiCalls, limit: RateLimit) -> None:
        """Know nothing of what is left until the first answer."""
        super().__init__(calls)
        self._limit, self._log = limit, calls.log
        self._is_low = False
        self._given_up = ""
        self._not_before = 0.0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer to the request, which is no 429.

        Raises:
            SourceError: 429 answers put the request off for longer than `max_wait_seconds`. Every
                later request then fails at once, so that a run of many months waits only once.
        """
        if self._given_up:
            raise SourceError(self._given_up)
        if self._is_low:
            self._sleep(self._limit.window_seconds, "the rate limit is used up but for the reserve")
        waited = 0.0
        while True:
            self._pace()
            response = super().send(request, *args, **kwargs)
            self._is_low = _is_low(response.headers, self._limit.reserve)
            if response.status_code != 429:
                return response
            # A body that stays unread would keep its connection open.
            _ = response.content
            waited += self._wait(response, waited)

    def _wait(self, response: requests.Response, waited: float) -> float:
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
        self._sleep(seconds, "the service answers 429")
        return seconds

    def _pace(self) -> None:
        """Leave the time between two requests that `requests_per_minute` asks for."""
        if self._limit.requests_per_minute:
            time.sleep(max(self._not_before - time.monotonic(), 0))
            self._not_before = time.monotonic() + 60 / self._limit.requests_per_minute

    def _sleep(self, seconds: float, reason: str) -> None:
        self._log.warning(f"waiting {seconds:.0f} s: {reason}")
        time.sleep(seconds)


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


def _is_low(headers: Mapping[str, str], reserve: int) -> bool:
    """Tell whether another request like the last one would go below the reserve."""
    remaining = _number(headers, "X-RateLimit-Remaining")
    if remaining is None:
        return False
    total = _number(headers, "X-RateLimit-Total") or remaining
    used = _number(headers, "X-RateLimit-Used-CurrentRequest") or 1
    return remaining - used < min(reserve, total / 2)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if re.fullmatch("[0-9]+", value) else None
