"""Apps are served over real HTTP, and answer wrongly on demand."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.chess import GeneratedArchives, chess_app
from pipelines_project.sandbox.server import Faults, broken_off, half, serving

_MONTH = "hikaru/games/2024/12"
_BODY = GeneratedArchives(3).games("hikaru", "2024-12")
_CONTACT = {"User-Agent": "sandbox-tests (contact: me@example.com)"}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Faults]]:
    faults = Faults()
    with serving(chess_app(GeneratedArchives(3), faults=faults)) as url:
        yield f"{url}/pub/player", faults


@pytest.fixture
def faults(served: tuple[str, Faults]) -> Iterator[Faults]:
    yield served[1]
    served[1].clear()
    served[1].requests.clear()


@pytest.fixture
def player_url(served: tuple[str, Faults]) -> str:
    return served[0]


def _get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=_CONTACT | headers, timeout=5)


def _statuses(url: str, times: int) -> list[int]:
    return [_get(url).status_code for _ in range(times)]


def test_answers_are_given_once_each_and_then_the_app_answers(
    player_url: str, faults: Faults
) -> None:
    limited = Response(status_code=429, headers={"Retry-After": "7"})
    faults.answer_next(_MONTH, limited, *[Response(status_code=500)] * 2)

    first = _get(f"{player_url}/{_MONTH}")
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert _statuses(f"{player_url}/{_MONTH}", 3) == [500, 500, 200]


def test_a_fixed_answer_stays_until_it_is_cleared(player_url: str, faults: Faults) -> None:
    faults.answer_always(_MONTH, JSONResponse({"games": []}))
    faults.answer_next(_MONTH, Response(status_code=410))

    assert _statuses(f"{player_url}/{_MONTH}", 3) == [410, 200, 200]
    assert _get(f"{player_url}/{_MONTH}").json() == {"games": []}
    faults.clear()
    assert _get(f"{player_url}/{_MONTH}").content == _BODY


def test_only_the_named_path_is_answered_otherwise(player_url: str, faults: Faults) -> None:
    faults.answer_always(_MONTH, Response(status_code=404))

    assert _get(f"{player_url}/Hikaru/games/2024/12").status_code == 404
    assert _get(f"{player_url}/nothikaru/games/2024/12").status_code == 200
    assert _get(f"{player_url}/hikaru/games/2024/11").status_code == 200


def test_a_player_can_have_moved(player_url: str, faults: Faults) -> None:
    moved = RedirectResponse("/pub/player/renamed/games/2024/12", 301)
    faults.answer_always(_MONTH, moved)

    answer = _get(f"{player_url}/{_MONTH}")
    assert (answer.status_code, answer.url) == (200, f"{player_url}/renamed/games/2024/12")


def test_half_a_body_arrives_whole_and_is_no_json(player_url: str, faults: Faults) -> None:
    faults.answer_next(_MONTH, half(_BODY))

    answer = _get(f"{player_url}/{_MONTH}")
    assert answer.content == _BODY[: len(_BODY) // 2]
    assert int(answer.headers["Content-Length"]) == len(_BODY) // 2


def test_a_connection_breaks_off_in_the_middle_of_a_body(player_url: str, faults: Faults) -> None:
    faults.answer_next(_MONTH, broken_off(_BODY))

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        _get(f"{player_url}/{_MONTH}")
    assert _get(f"{player_url}/{_MONTH}").content == _BODY


def test_every_request_is_logged_with_its_headers_and_time(player_url: str, faults: Faults) -> None:
    _get(f"{player_url}/{_MONTH}")
    _get(f"{player_url}/erik/games/2024/11", **{"X-Test": "yes"})

    assert [asked.path for asked in faults.requests] == [
        "/pub/player/hikaru/games/2024/12",
        "/pub/player/erik/games/2024/11",
    ]
    [asked] = faults.asked("erik/games/2024/11")
    assert (asked.method, asked.headers["x-test"]) == ("GET", "yes")
    assert asked.headers["user-agent"] == _CONTACT["User-Agent"]
    assert datetime.now(UTC) - asked.at < timedelta(seconds=5)


def test_nothing_answers_after_the_server_was_stopped() -> None:
    with serving(chess_app(GeneratedArchives())) as url, requests.Session() as session:
        # A connection that is kept open must not keep the server from stopping.
        assert session.get(url, timeout=5).status_code == 404

    with pytest.raises(requests.ConnectionError):
        _get(url)


def test_an_error_of_the_one_who_asks_stops_the_server_too() -> None:
    def fail(url: str) -> None:
        raise ZeroDivisionError(url)

    with pytest.raises(ZeroDivisionError) as failed, serving(Starlette()) as url:
        fail(url)

    with pytest.raises(requests.ConnectionError):
        _get(str(failed.value))


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
        assert _get(f"{url}/hello").text == "hello"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
def test_the_command_prints_the_setting_and_serves_until_ctrl_c() -> None:
    command = [sys.executable, "-m", "pipelines_project.sandbox", "--port", "0"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name, url = process.stdout.readline().strip().split("=")
        answer = _get(f"{url}/player/hikaru/games/archives")
        listed = answer.json()["archives"]
        process.send_signal(signal.SIGINT)

    assert (name, process.returncode) == ("export CHESS_API_URL", 0)
    assert listed[0] == f"{url}/player/hikaru/games/2023/01"
