"""The HTTP session of every source: what is tried again, and what is said of it."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import requests
from dlt.sources.helpers.requests import Client
from tenacity import RetryCallState

from pipelines_project.sources.http.api_calls import ApiCalls, BoundedAdapter, SourceError

# The innermost of the errors that urllib3 and requests print inside each other.
_INNERMOST = re.compile(
    r"""(?:.*(?:: |\(['"]|\d, '))?(?:\[Errno -?\d+\] )?(.+?)(?:['"]\)+)?""", re.DOTALL
)
_SHOWN = 200


class ServiceAwayError(SourceError):
    """A service did not answer, or not as it should, however often it was tried."""


def retrying_session(headers: Mapping[str, str], calls: ApiCalls) -> requests.Session:
    """Return dlt's HTTP session: bounded retries on 429, 5xx and lost connections, all counted.

    `Retry-After` is honoured. The bounds are dlt's own settings, `RUNTIME__REQUEST_MAX_ATTEMPTS`,
    `RUNTIME__REQUEST_BACKOFF_FACTOR` and `RUNTIME__REQUEST_MAX_RETRY_DELAY`. Each retry is logged,
    and a request that was tried for the last time raises `ServiceAwayError`.

    Args:
        headers: sent with every request.
        calls: counts the requests, and has the log.
    """
    client = Client(raise_for_status=False)
    client.configure()
    session: requests.Session = client.session
    session.headers.update(headers)
    adapter = BoundedAdapter(calls)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    _tell_retries(session, calls)
    return session


def _tell_retries(session: requests.Session, calls: ApiCalls) -> None:
    def before_sleep(state: RetryCallState) -> None:
        calls.log.warning(
            f"{_asked(calls)} {_answered(state)}: trying again in {state.upcoming_sleep:.1f} s "
            f"(tried {state.attempt_number} times)"
        )

    def give_up(state: RetryCallState) -> NoReturn:
        raise ServiceAwayError(
            f"{_asked(calls)} {_answered(state)}: tried {state.attempt_number} times in "
            f"{state.seconds_since_start or 0:.0f} s. When the service answers again, run again"
        ) from None

    # tenacity's documented way to change how a function is tried again that it has wrapped.
    retrying: Any = getattr(session.send, "retry")  # noqa: B009
    retrying.before_sleep = before_sleep
    retrying.retry_error_callback = give_up


def _asked(calls: ApiCalls) -> str:
    return calls.last_url[:_SHOWN]


def _answered(state: RetryCallState) -> str:
    """Return what came of the last try, as the end of a sentence."""
    error = state.outcome.exception() if state.outcome else None
    answer = error.response if isinstance(error, requests.RequestException) else None
    if state.outcome and error is None:
        answer = state.outcome.result()
    if answer is not None:
        return f"answered {answer.status_code} {answer.reason or ''}".rstrip()
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off its answer"
    failed = "could not be reached"
    if isinstance(error, requests.exceptions.ReadTimeout):
        failed = "gave no whole answer"
    innermost = _INNERMOST.fullmatch(str(error))
    return f"{failed} ({innermost[1][:_SHOWN] if innermost else type(error).__name__})"
