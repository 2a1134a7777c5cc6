"""Apps are served over real HTTP, for as long as they are needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pipelines_project.sandbox.server import serving


def test_nothing_answers_after_the_server_was_stopped() -> None:
    with serving(Starlette()) as url, requests.Session() as session:
        # A connection that is kept open must not keep the server from stopping.
        assert session.get(url, timeout=5).status_code == 404

    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_an_error_of_the_one_who_asks_stops_the_server_too() -> None:
    def fail(url: str) -> None:
        raise ZeroDivisionError(url)

    with pytest.raises(ZeroDivisionError) as failed, serving(Starlette()) as url:
        fail(url)

    with pytest.raises(requests.ConnectionError):
        requests.get(str(failed.value), timeout=5)


def test_a_taken_port_is_an_error() -> None:
    with serving(Starlette()) as url:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"), serving(Starlette(), port):
            pass


def test_an_app_that_fails_to_start_is_an_error() -> None:
    @asynccontextmanager
    async def fail(_app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no")
        yield

    with pytest.raises(RuntimeError, match="did not start"), serving(Starlette(lifespan=fail)):
        pass


def test_any_app_can_be_served() -> None:
    hello = Route("/hello", lambda _request: PlainTextResponse("hello"))
    with serving(Starlette(routes=[hello])) as url:
        assert requests.get(f"{url}/hello", timeout=5).text == "hello"
