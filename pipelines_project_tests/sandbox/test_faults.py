"""A sandbox app answers wrongly on demand, and tells what it was asked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from starlette.responses import JSONResponse, RedirectResponse, Response

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults, broken_off, half
from pipelines_project.sandbox.server import serving

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
