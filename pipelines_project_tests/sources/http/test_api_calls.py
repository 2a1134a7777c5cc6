"""The HTTP session of a source: what is counted, what is refused, what is tried again."""

import asyncio
import gzip
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pipelines_project.sandbox.faults import Faults, FaultsMiddleware, broken_off
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.http import api_calls
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.session import ServiceAwayError, retrying_session

_REFUSALS = {410: lambda response: f"{response.url} is closed: ask for another"}


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def api(faults: Faults) -> Iterator[str]:
    async def answer(_request: Request) -> Response:
        return JSONResponse({"items": []})

    middleware = [Middleware(FaultsMiddleware, faults=faults)]
    with serving(Starlette(routes=[Route("/{item}", answer)], middleware=middleware)) as url:
        yield url


def _get(url: str, calls: ApiCalls, **headers: str) -> requests.Response:
    """Ask as dlt's REST client does, with the check as a hook of the request."""
    session = retrying_session(headers, calls)
    return session.get(url, hooks={"response": [calls.checked(_REFUSALS)]})


def test_the_headers_of_the_session_go_with_every_request(api: str, faults: Faults) -> None:
    faults.answer_next("item", Response(status_code=500))

    _get(f"{api}/item", ApiCalls(), **{"User-Agent": "tests (me@example.com)"})

    agents = [asked.headers["user-agent"] for asked in faults.asked("item")]
    assert agents == ["tests (me@example.com)"] * 2


def test_retries_and_redirects_are_counted(api: str, faults: Faults) -> None:
    calls = ApiCalls()
    moved = RedirectResponse(f"{api}/other", 301)
    faults.answer_next("item", Response(status_code=503), Response(status_code=429), moved)

    answer = _get(f"{api}/item", calls)

    assert answer.json() == {"items": []}
    assert calls.count == len(faults.requests) == 4
    assert calls.last_url == f"{api}/other"


def test_a_request_whose_answer_broke_off_is_counted_and_named(api: str, faults: Faults) -> None:
    calls = ApiCalls()
    _get(f"{api}/first", calls)
    faults.answer_always("second", broken_off(b'{"items": []}'))

    with pytest.raises(ServiceAwayError, match=f"{api}/second broke off its answer: tried 3 times"):
        _get(f"{api}/second", calls)

    assert calls.count == len(faults.requests) == 4
    assert calls.last_url == f"{api}/second"


def test_a_refusal_is_raised_with_its_own_text_and_not_tried_again(
    api: str, faults: Faults
) -> None:
    faults.answer_always("item", Response(status_code=410))

    with pytest.raises(SourceError, match=f"{api}/item is closed: ask for another"):
        _get(f"{api}/item", ApiCalls())

    assert len(faults.requests) == 1


@pytest.mark.parametrize(("status", "requests_made"), [(429, 3), (500, 3), (503, 3)])
def test_a_bad_status_is_an_error_after_a_bounded_number_of_requests(
    api: str, faults: Faults, status: int, requests_made: int
) -> None:
    faults.answer_always("item", Response(status_code=status))

    with pytest.raises(ServiceAwayError, match=f"{api}/item answered {status} .*: tried 3 times"):
        _get(f"{api}/item", ApiCalls())

    assert len(faults.requests) == requests_made


def test_a_status_that_trying_again_cannot_mend_is_refused_at_once(
    api: str, faults: Faults
) -> None:
    faults.answer_always("item", Response("what?", 400))

    with pytest.raises(SourceError, match=f"{api}/item answered 400 .*: 'what\\?'"):
        _get(f"{api}/item", ApiCalls())

    assert len(faults.requests) == 1


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:9", r"\(Connection refused\)"),
        ("http://no.such.host.invalid", r"\(Failed to resolve 'no.such.host.invalid' .*\)"),
    ],
)
def test_a_service_that_is_down_is_told_in_plain_words(address: str, why: str) -> None:
    with pytest.raises(ServiceAwayError) as error:
        _get(f"{address}/item", ApiCalls())

    assert re.fullmatch(
        rf"{address}/item could not be reached {why}: tried 3 times in 0 s. "
        "When the service answers again, run again",
        str(error.value),
    )


@pytest.mark.stack
def test_each_retry_is_logged_with_who_why_and_how_long(
    api: str, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    busy = Response(status_code=429, headers={"Retry-After": "1"})
    faults.answer_next("item", broken_off(b'{"items": []}'), busy)

    _get(f"{api}/item", ApiCalls())

    warnings = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert warnings == [
        f"{api}/item broke off its answer: trying again in 0.0 s (tried 1 times)",
        f"{api}/item answered 429 Too Many Requests: trying again in 1.0 s (tried 2 times)",
    ]


def test_a_lost_connection_is_tried_again(api: str, faults: Faults) -> None:
    faults.answer_next("item", broken_off(b'{"items": [1, 2, 3]}'))

    assert _get(f"{api}/item", ApiCalls()).json() == {"items": []}


def test_the_number_of_attempts_is_a_setting(
    api: str, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "2")
    faults.answer_always("item", Response(status_code=500))

    with pytest.raises(ServiceAwayError, match="tried 2 times"):
        _get(f"{api}/item", ApiCalls())

    assert len(faults.requests) == 2


@pytest.mark.stack
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_waited_for(api: str, faults: Faults, as_date: bool) -> None:
    # A date has whole seconds, so one that is two seconds ahead is more than one second away.
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    busy = Response(status_code=429, headers={"Retry-After": date if as_date else "1"})
    faults.answer_next("item", busy)
    started = time.monotonic()

    _get(f"{api}/item", ApiCalls())

    assert 0.8 < time.monotonic() - started < 5


def test_a_wait_of_an_hour_is_cut_short(
    api: str, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_RETRY_DELAY", "0.1")
    faults.answer_next("item", Response(status_code=429, headers={"Retry-After": "3600"}))
    started = time.monotonic()

    _get(f"{api}/item", ApiCalls())

    assert time.monotonic() - started < 5


def test_every_request_has_a_timeout(
    api: str, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.1")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")

    async def silence(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(0.5)

    faults.answer_next("item", silence)

    with pytest.raises(ServiceAwayError, match=r"gave no whole answer \(Read timed out"):
        _get(f"{api}/item", ApiCalls())


def test_a_body_that_a_few_compressed_bytes_make_too_large_is_refused(
    api: str, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_calls, "MAX_ANSWER_BYTES", 1000)
    for size in (1000, 1001):
        body = gzip.compress(bytes(size))
        faults.answer_next("item", Response(body, headers={"Content-Encoding": "gzip"}))

    assert _get(f"{api}/item", ApiCalls()).content == bytes(1000)
    with pytest.raises(SourceError, match="/item answered with more than 1000 bytes"):
        _get(f"{api}/item", ApiCalls())
    assert len(faults.asked("item")) == 2
