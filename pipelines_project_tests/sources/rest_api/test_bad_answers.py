"""What an API must not answer, and what each refusal tells; the month stays as it was."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.faults import half
from pipelines_project.sources.http import api_calls
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project_tests.landings import place_of
from pipelines_project_tests.weather_api import WeatherApi
from pipelines_project_tests.weather_tables import (
    MONTH,
    PAGED,
    WINDOW,
    land_table,
    weather_tables,
)


def _error(api: WeatherApi, zone: LandingZone, **endpoint: Any) -> BaseException:
    """Return why a month cannot be landed."""
    tables = weather_tables(api, {}, readings={**PAGED, **endpoint})
    with pytest.raises(Exception, match="readings") as refused:
        land_table(tables, zone)
    return root_cause(refused.value)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response(status_code=404), "answered 404 Not Found: correct client.base_url or endpoint"),
        (PlainTextResponse("who are you", 401), "401 .*'who are you': set client.auth"),
        (JSONResponse({"error": "no"}, 418), "answered 418 .*no"),
        (
            Response("<html>Sign in</html>", media_type="text/html"),
            r"'<html>.*\(text/html.*no JSON",
        ),
        (Response(b""), "which is no JSON"),
        (JSONResponse({"message": "try later"}), "without 'data': correct endpoint.data_selector"),
        (JSONResponse({"data": None}), "without 'data'"),
        (JSONResponse({"data": [1, 2]}), "readings yields '1', a int"),
        (JSONResponse({"data": [{"id": 1}]}), "page=2 answered with the page before"),
    ],
)
def test_an_answer_that_is_no_list_of_rows_is_refused_and_the_month_stays(
    api: WeatherApi, landing: LandingZone, answer: ASGIApp, why: str
) -> None:
    before = land_table(weather_tables(api, {}, readings=PAGED), landing).load_id
    api.faults.answer_always("readings", answer)

    error = _error(api, landing)

    assert isinstance(error, SourceError)
    with pytest.raises(SourceError, match=why):
        raise error
    assert place_of(landing, MONTH, "readings").current_load() == before


@pytest.mark.stack
def test_a_broken_service_is_asked_again_and_then_named(
    api: WeatherApi, landing: LandingZone
) -> None:
    api.faults.answer_next("readings", Response(status_code=503), Response(status_code=500))
    assert land_table(weather_tables(api, {}, readings=PAGED), landing).rows == 29
    api.faults.answer_always("readings", Response(status_code=500))

    assert "answered 500 Internal Server Error: tried 3 times" in str(_error(api, landing))


def test_json_that_is_cut_off_is_an_error_that_may_pass(
    api: WeatherApi, landing: LandingZone
) -> None:
    api.faults.answer_always("readings", half(b'{"data": [{"id": 1}, {"id": 2}]}'))

    assert "JSON" in type(_error(api, landing)).__name__


def test_a_pager_that_leads_back_is_refused(api: WeatherApi, landing: LandingZone) -> None:
    async def round_and_round(scope: Any, receive: Any, send: Any) -> None:
        at = Request(scope).query_params.get("cursor", "a")
        following = {"a": "b", "b": "c", "c": "b"}[at]
        await JSONResponse({"data": [{"id": at}], "next": following})(scope, receive, send)

    api.faults.answer_always("readings", round_and_round)

    error = _error(api, landing, paginator={"type": "cursor", "cursor_path": "next"})

    assert "cursor=b is asked for twice: page 4 leads back" in str(error)


@pytest.mark.parametrize(
    ("endpoint", "setting", "asked"),
    [
        ({"most_pages": 5}, "endpoint.most_pages allows 5", 6),
        (
            {"paginator": {"type": "page_number", "base_page": 1, "maximum_page": 7}},
            "paginator.maximum_page allows 7",
            8,
        ),
        (
            {"paginator": {"type": "offset", "limit": 10, "maximum_offset": 20}},
            "paginator.maximum_offset allows 3",
            4,
        ),
    ],
)
def test_a_list_without_end_is_refused_naming_the_bound(
    api: WeatherApi, landing: LandingZone, endpoint: dict[str, Any], setting: str, asked: int
) -> None:
    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({"data": [{"id": str(Request(scope).query_params)}]})(
            scope, receive, send
        )

    api.faults.answer_always("readings", endless)

    assert setting in str(_error(api, landing, **endpoint))
    assert len(api.faults.requests) == asked


def test_a_total_that_is_not_there_names_the_paginator(
    api: WeatherApi, landing: LandingZone
) -> None:
    paginator = {"type": "page_number", "base_page": 1, "total_path": "pages"}

    error = _error(api, landing, paginator=paginator)

    assert "cannot be paged on from" in str(error)
    assert "correct the paginator" in str(error)
    assert len(str(error)) < 500


def test_a_list_of_errors_is_not_taken_for_rows(api: WeatherApi, landing: LandingZone) -> None:
    api.faults.answer_always("readings", JSONResponse({"errors": [{"message": "too many"}]}))

    error = _error(api, landing, data_selector=None)

    assert "no rows can be told: set endpoint.data_selector, such as 'errors'" in str(error)


def test_a_page_that_is_too_large_is_refused(
    api: WeatherApi, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_calls, "MAX_ANSWER_BYTES", 100)

    assert "answered with more than 100 bytes" in str(_error(api, landing))


@pytest.mark.stack
def test_a_server_that_drips_bytes_for_ever_is_given_up(
    api: WeatherApi, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dripping(scope: Any, receive: Any, send: Any) -> None:
        async def drops() -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.02)

        headers = {"Content-Length": "1000000", "Content-Type": "application/json"}
        await StreamingResponse(drops(), headers=headers)(scope, receive, send)

    monkeypatch.setattr(api_calls, "MAX_ANSWER_SECONDS", 0.2)
    api.faults.answer_always("readings", dripping)
    started = time.monotonic()

    assert "gave no whole answer (it was not whole within 0 s)" in str(_error(api, landing))
    assert time.monotonic() - started < 10
    assert len(api.faults.requests) == 3


def test_a_link_to_another_host_is_refused(api: WeatherApi, landing: LandingZone) -> None:
    answer = JSONResponse({"data": [{}], "next": "http://elsewhere.invalid/readings?page=2"})
    api.faults.answer_always("readings", answer)

    error = _error(api, landing, paginator={"type": "json_link"})

    assert "leads to 'http://elsewhere.invalid/readings" in str(error)


def test_a_429_is_waited_for_within_its_bound(api: WeatherApi, landing: LandingZone) -> None:
    api.faults.answer_always("readings", Response(status_code=429, headers={"Retry-After": "90"}))
    tables = weather_tables(api, {"rate_limit": {"max_wait_seconds": 5}}, readings=PAGED)

    with pytest.raises(Exception, match=r"client\.rate_limit\.max_wait_seconds is 5"):
        land_table(tables, landing)


@pytest.mark.stack
def test_requests_keep_the_pace_that_is_asked_for(api: WeatherApi, landing: LandingZone) -> None:
    one_each = {"requests_per_minute": 300, "window_seconds": 0.2}
    tables = weather_tables(api, {"rate_limit": one_each}, readings=PAGED)

    land_table(tables, landing)

    times = [asked.at for asked in api.faults.requests]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert len(gaps) == 3
    assert min(gaps) >= 0.2


@pytest.mark.stack
def test_a_re_run_that_would_lose_most_of_a_month_is_refused(
    api: WeatherApi, landing: LandingZone
) -> None:
    land_table(weather_tables(api, {}, readings=PAGED), landing)
    api.faults.answer_always("readings", JSONResponse({"data": []}))

    with pytest.raises(Exception, match="allow_shrink"):
        land_table(weather_tables(api, {}, readings=PAGED), landing)


def test_a_parent_without_the_field_is_named(api: WeatherApi, landing: LandingZone) -> None:
    tables = weather_tables(
        api, {}, stations={}, readings={"path": "stations/{resources.stations.code}/readings"}
    )

    with pytest.raises(Exception, match=r"`code`.*`stations`"):
        land_table(tables, landing)


def test_an_unset_secret_is_named_before_anything_is_asked(
    api: WeatherApi, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEATHER_TOKEN")
    client = {"auth": {"type": "bearer", "token_env": "WEATHER_TOKEN"}}
    calls = ApiCalls()

    with pytest.raises(Exception, match="WEATHER_TOKEN is not set"):
        land_table(weather_tables(api, client, readings={"params": WINDOW}), landing, calls)

    assert calls.count == 0
