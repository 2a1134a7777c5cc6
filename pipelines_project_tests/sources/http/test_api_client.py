"""A new source over the shared client: nine lines, and every guard is there."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator, PageNumberPaginator
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.faults import Faults, FaultsMiddleware, broken_off
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.http import api_calls
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.api_client import ApiClient
from pipelines_project.sources.http.rate_limit import RateLimit


def _readings(url: str, calls: ApiCalls, **options: Any) -> Iterator[Any]:
    """Yield the readings of a weather station: the whole of a new source."""
    api = ApiClient(
        "Weather",
        url,
        calls,
        auth=BearerTokenAuth(token="secret"),  # type: ignore[arg-type]
        **options,
    )
    pages = PageNumberPaginator(base_page=1, total_path=None)
    for page in api.pages("readings", pages, {"month": "2024-01"}, rows_at="items"):
        yield from page


PAGES = [[{"t": 10}, {"t": 9.7}], [{"t": 8}]]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def api(faults: Faults) -> Iterator[str]:
    async def page(request: Request) -> Response:
        number = int(request.query_params["page"])
        return JSONResponse({"items": PAGES[number - 1] if number <= len(PAGES) else []})

    middleware = [Middleware(FaultsMiddleware, faults=faults)]
    with serving(Starlette(routes=[Route("/readings", page)], middleware=middleware)) as url:
        yield url


def _refused(url: str, why: str, **options: Any) -> ApiCalls:
    calls = ApiCalls()
    with pytest.raises(SourceError, match=why):
        list(_readings(url, calls, **options))
    return calls


def test_rows_come_page_by_page_and_requests_are_counted(api: str, faults: Faults) -> None:
    calls = ApiCalls()

    assert list(_readings(api, calls)) == [{"t": 10}, {"t": 9.7}, {"t": 8}]

    assert calls.count == len(faults.requests) == 3
    assert {asked.query["month"] for asked in faults.requests} == {"2024-01"}


def test_a_busy_or_broken_service_is_asked_again(api: str, faults: Faults) -> None:
    calls = ApiCalls()
    broken = (Response(status_code=503), Response(status_code=429), broken_off(b'{"items": [1]}'))
    faults.answer_next("readings", broken[0], broken[1])
    assert len(list(_readings(api, calls))) == 3
    faults.answer_next("readings", broken[2])
    assert len(list(_readings(api, calls))) == 3

    assert calls.count == len(faults.requests) == 9


def test_a_rate_limit_is_waited_for_within_its_bound(api: str, faults: Faults) -> None:
    faults.answer_always("readings", Response(status_code=429, headers={"Retry-After": "900"}))

    calls = _refused(api, "answers 429.*asks to wait 900 s", limit=RateLimit(max_wait_seconds=5))

    assert calls.count == 1


def test_a_page_that_comes_again_is_refused(api: str, faults: Faults) -> None:
    faults.answer_always("readings", JSONResponse({"items": PAGES[0]}))

    calls = _refused(api, r"Weather answered http.*page=2.* with the page before")

    assert calls.count == 2


def test_pages_without_end_are_refused_naming_the_setting() -> None:
    async def page(request: Request) -> Response:
        return JSONResponse({"items": [{"page": request.query_params["page"]}]})

    with serving(Starlette(routes=[Route("/readings", page)])) as url:
        calls = _refused(
            url, "Weather answers more than 20 pages of readings.*raise most_pages", most_pages=20
        )

    assert calls.count == 21


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422])
def test_a_status_that_nobody_foresaw_is_refused_with_its_address_and_its_words(
    api: str, faults: Faults, status: int
) -> None:
    faults.answer_always("readings", PlainTextResponse("no such month" * 99, status))

    with pytest.raises(SourceError) as refused:
        list(_readings(api, ApiCalls()))

    assert f"{api}/readings?month=2024-01&page=1 answered {status} " in str(refused.value)
    assert "no such month" in str(refused.value)
    assert len(str(refused.value)) < 400
    assert len(faults.requests) == 1


def test_a_status_with_a_meaning_is_refused_in_the_words_of_the_source(
    api: str, faults: Faults
) -> None:
    faults.answer_always("readings", Response(status_code=401))

    refusals = {401: lambda _response: "correct WEATHER_KEY"}
    _refused(api, "^correct WEATHER_KEY$", refusals=refusals)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            Response("<html>Sign in</html>", media_type="text/html"),
            "'<html>Sign in</html>' \\(text/html.*no JSON object: is WEATHER_URL right",
        ),
        (Response(b"\x89PNG", media_type="image/png"), "image/png.*no JSON object"),
        (Response(b""), "answered ''.*no JSON object"),
        (JSONResponse([{"t": 1}]), "no JSON object"),
        (JSONResponse({"message": "try later"}), "without 'items': is WEATHER_URL right"),
        (JSONResponse({"items": None}), "without 'items'"),
    ],
)
def test_what_is_not_the_expected_json_is_refused_and_not_taken_for_no_rows(
    api: str, faults: Faults, answer: Response, why: str
) -> None:
    faults.answer_always("readings", answer)

    _refused(api, why, advice="is WEATHER_URL right?")


def test_json_that_is_cut_off_is_an_error_that_may_pass(api: str, faults: Faults) -> None:
    faults.answer_always("readings", Response(b'{"items": [', media_type="application/json"))

    with pytest.raises(requests.exceptions.InvalidJSONError):
        list(_readings(api, ApiCalls()))


def test_an_answer_that_is_too_large_is_refused(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_calls, "MAX_ANSWER_BYTES", 10)

    _refused(api, "answered with more than 10 bytes")


def test_a_redirect_or_a_link_to_another_host_is_refused_and_the_key_stays_here(
    api: str, faults: Faults
) -> None:
    with serving(Starlette(routes=[])) as other:
        faults.answer_next("readings", RedirectResponse(f"{other}/readings"))
        _refused(api, f"redirects to '{other}/readings")

        faults.answer_next("readings", JSONResponse({"items": [{}], "next": f"{other}/readings"}))
        client = ApiClient("Weather", api, ApiCalls())
        pages = client.pages("readings", JSONLinkPaginator("next"), rows_at="items")
        with pytest.raises(SourceError, match=f"Weather at {api}/ leads to '{other}/readings"):
            list(pages)
