"""No secret is shown by an error, a log, a record or the address asked last, whatever is wrong."""

import base64
import logging
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.faults import broken_off
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.rest_api.client import Client
from pipelines_project.sources.rest_api.configuration import RestTable
from pipelines_project.sources.rest_api.endpoint import Endpoint
from pipelines_project.sources.rest_api.tables import RestTables
from pipelines_project_tests.weather_api import ACCESS_TOKEN, CLIENT_SECRET, TOKEN, WeatherApi
from pipelines_project_tests.weather_tables import WINDOW, land_table, weather_tables

AUTHS: dict[str, dict[str, str]] = {
    "bearer": {"type": "bearer", "token_env": "WEATHER_TOKEN"},
    "header": {"type": "api_key", "name": "X-Key", "api_key_env": "WEATHER_TOKEN"},
    "query": {
        "type": "api_key",
        "name": "appid",
        "location": "query",
        "api_key_env": "WEATHER_TOKEN",
    },
    "basic": {
        "type": "http_basic",
        "username_env": "WEATHER_USER",
        "password_env": "WEATHER_TOKEN",
    },
    "oauth": {
        "type": "oauth2_client_credentials",
        "client_id_env": "WEATHER_CLIENT",
        "client_secret_env": "WEATHER_SECRET",
    },
}
_BASIC = base64.b64encode(f"me@example.com:{TOKEN}".encode()).decode()
_HIDDEN = [
    form
    for secret in (TOKEN, CLIENT_SECRET, ACCESS_TOKEN, _BASIC)
    for form in (secret, quote(secret, safe=""), quote_plus(secret))
]


def assert_no_secret(*texts: str) -> None:
    for text in texts:
        assert [secret for secret in _HIDDEN if secret in text] == []


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with everything that the request held."""
    request = Request(scope, receive)
    text = f"{request.url} {dict(request.headers)} {(await request.body()).decode()}"
    await PlainTextResponse(text, 400)(scope, receive, send)


async def _echo_as_page(scope: Any, receive: Any, send: Any) -> None:
    request = Request(scope)
    said = {"message": f"{request.url} {request.headers.get('Authorization')}"}
    await JSONResponse(said)(scope, receive, send)


async def _redirect(scope: Any, receive: Any, send: Any) -> None:
    request = Request(scope)
    elsewhere = f"http://elsewhere.invalid/?{request.url.query}&{request.headers.items()}"
    await RedirectResponse(elsewhere)(scope, receive, send)


@pytest.fixture
def secrets(api: WeatherApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_CLIENT", "pipelines")
    monkeypatch.setenv("WEATHER_SECRET", CLIENT_SECRET)


def _client(api: WeatherApi, kind: str) -> dict[str, Any]:
    auth = dict(AUTHS[kind])
    if kind == "oauth":
        auth["access_token_url"] = f"{api.url}/oauth/token"
    return {"auth": auth}


ENDPOINT = {"path": "secret", "params": WINDOW, "paginator": "header_link"}
_ANSWERS: dict[str, ASGIApp] = {
    "echo": _echo,
    "echo as page": _echo_as_page,
    "redirect": _redirect,
    "broken off": broken_off(b'[{"id": 1}]'),
}


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("kind", AUTHS)
@pytest.mark.parametrize("answer", _ANSWERS)
def test_an_error_shows_no_secret_that_the_service_repeats(
    api: WeatherApi,
    landing: LandingZone,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    answer: str,
) -> None:
    caplog.set_level(logging.INFO)
    api.faults.answer_always("v1/secret", _ANSWERS[answer])
    calls = ApiCalls()

    with pytest.raises(Exception, match="readings") as failed:
        land_table(weather_tables(api, _client(api, kind), readings=ENDPOINT), landing, calls)

    trace = "".join(traceback.format_exception(failed.value))
    assert_no_secret(trace, caplog.text, calls.last_url)
    assert calls.last_url


@pytest.mark.usefixtures("secrets")
def test_a_service_that_cannot_be_reached_is_named_without_the_key(
    api: WeatherApi, landing: LandingZone
) -> None:
    client = Client(base_url="http://127.0.0.1:9/v1", **_client(api, "query"))
    tables = RestTables(client, [RestTable("readings", Endpoint(**ENDPOINT))], "2024-02")
    calls = ApiCalls()

    with pytest.raises(Exception, match=r"127\.0\.0\.1") as failed:
        land_table(tables, landing, calls)

    assert_no_secret("".join(traceback.format_exception(failed.value)), calls.last_url)


@pytest.mark.usefixtures("secrets")
def test_a_refused_client_names_its_variables_and_not_what_they_hold(
    api: WeatherApi, landing: LandingZone
) -> None:
    api.faults.answer_always("oauth/token", _echo)
    tables = weather_tables(api, _client(api, "oauth"), readings=ENDPOINT)

    with pytest.raises(Exception, match="correct access_token_url, WEATHER_CLIENT or") as failed:
        land_table(tables, landing)

    assert_no_secret("".join(traceback.format_exception(failed.value)))


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("kind", AUTHS)
def test_what_is_landed_and_logged_holds_no_secret(
    api: WeatherApi,
    landing: LandingZone,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    caplog.set_level(logging.INFO)

    land_table(weather_tables(api, _client(api, kind), readings=ENDPOINT), landing)

    records = [path.read_text() for path in tmp_path.rglob("_*.json")]
    assert len(records) == 1
    assert "/v1/secret?" in records[0]
    assert_no_secret(caplog.text, *records)


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({"type": "bearer", "token": TOKEN}, "token_env"),
        ({"type": "bearer", "token_env": TOKEN}, "the name of an environment variable"),
        ({"type": "api_key", "api_key": TOKEN}, "api_key_env"),
        ({"type": "http_basic", "username": "me", "password": TOKEN}, "username_env"),
        (
            {"type": "oauth2_client_credentials", "client_secret": TOKEN},
            "client_secret_env",
        ),
    ],
)
def test_a_secret_in_a_document_is_refused_without_showing_it(
    auth: dict[str, str], why: str
) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Client(base_url="https://api.example.org/v1", auth=auth)  # type: ignore[arg-type]

    assert_no_secret(str(refused.value))


@pytest.mark.parametrize(
    "client",
    [
        {"base_url": f"https://me:{TOKEN.replace('/', '')}@api.example.org"},
        {"base_url": f"https://api.example.org?api_key={TOKEN}"},
        {"base_url": "https://api.example.org", "headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"base_url": "https://api.example.org", "headers": {"X-Api-Key": TOKEN}},
    ],
)
def test_a_secret_in_an_address_or_a_header_is_refused(client: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="has no place here") as refused:
        Client(**client)

    assert_no_secret(str(refused.value))


@pytest.mark.parametrize(
    "endpoint",
    [
        {"params": {"api_key": TOKEN}},
        {"path": f"readings?token={TOKEN}"},
        {"json": {"auth": [{"password": TOKEN}]}},
        {"headers": {"X-Auth-Token": TOKEN}},
    ],
)
def test_a_secret_in_an_endpoint_is_refused(endpoint: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="has no place here") as refused:
        Endpoint(**endpoint)

    assert_no_secret(str(refused.value))


def test_a_parameter_that_only_sounds_like_a_secret_is_taken() -> None:
    Endpoint(params={"key": "size", "token": "{resources.pages.token}", "page_token": "abcdefgh1"})
