"""The chess sandbox answers as chess.com does."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.server import serving

_CONTACT = {"User-Agent": "sandbox-tests (contact: me@example.com)"}
_ARCHIVES = GeneratedArchives(games_per_month=120, first_month="2024-11")


@pytest.fixture(scope="module")
def player_url() -> Iterator[str]:
    with serving(chess_app(_ARCHIVES)) as url:
        yield f"{url}/pub/player"


def _get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=_CONTACT | headers, timeout=5)


def test_the_list_holds_the_address_of_every_month_up_to_the_current_one(player_url: str) -> None:
    listed = _get(f"{player_url}/Hikaru/games/archives?callback=none").json()["archives"]

    assert listed[:3] == [
        f"{player_url}/hikaru/games/2024/11",
        f"{player_url}/hikaru/games/2024/12",
        f"{player_url}/hikaru/games/2025/01",
    ]
    assert listed[-1] == f"{player_url}/hikaru/games/{datetime.now(UTC):%Y/%m}"
    assert len(_get(listed[-1]).json()["games"]) == 120


def test_a_player_is_found_in_capitals_and_small_letters(player_url: str) -> None:
    capitals = _get(f"{player_url}/HIKARU/games/2024/12")

    assert capitals.content == _get(f"{player_url}/hikaru/games/2024/12").content
    assert capitals.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["archives", "2024/12"])
@pytest.mark.parametrize("player", ["nobody-at-all", "not.a.name", "x" * 51])
def test_an_unknown_player_is_answered_404(player_url: str, player: str, path: str) -> None:
    answer = _get(f"{player_url}/{player}/games/{path}")

    assert answer.status_code == 404
    assert answer.json() == {"code": 0, "message": f'User "{player}" not found.'}


@pytest.mark.parametrize(
    "month", ["2024/13", "2024/00", "2024/1", "24/12", "x/y", "0000/01", "2024"]
)
def test_a_malformed_month_is_answered_404(player_url: str, month: str) -> None:
    answer = _get(f"{player_url}/hikaru/games/{month}")

    assert answer.status_code == 404
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("month", ["2024/10", "2999/01"])
def test_a_month_without_games_is_answered_with_an_empty_list(player_url: str, month: str) -> None:
    answer = _get(f"{player_url}/hikaru/games/{month}")

    assert (answer.status_code, answer.json()) == (200, {"games": []})


@pytest.mark.parametrize("agent", ["python-requests/2.34", "my-tool/1.0 (me)", ""])
def test_a_request_without_contact_is_refused(player_url: str, agent: str) -> None:
    answer = _get(f"{player_url}/hikaru/games/archives", **{"User-Agent": agent})

    assert answer.status_code == 403


def test_an_address_in_the_user_agent_is_contact_too(player_url: str) -> None:
    agent = "my-tool/1.0 (+https://example.com/about)"

    assert _get(f"{player_url}/hikaru/games/archives", **{"User-Agent": agent}).ok


@pytest.mark.parametrize("path", ["archives", "2024/12", "2024/10"])
def test_an_answer_that_is_known_already_is_not_sent_again(player_url: str, path: str) -> None:
    first = _get(f"{player_url}/hikaru/games/{path}")
    again = _get(f"{player_url}/hikaru/games/{path}", **{"If-None-Match": first.headers["ETag"]})
    other = _get(f"{player_url}/erik/games/2024/11", **{"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    for name in ("ETag", "Last-Modified", "Cache-Control"):
        assert again.headers[name] == first.headers[name]
    assert first.headers["Cache-Control"] == "public, max-age=43200"


def test_an_app_without_validators_sends_none() -> None:
    with serving(chess_app(_ARCHIVES, validators=False)) as url:
        answer = _get(f"{url}/pub/player/hikaru/games/2024/12", **{"If-None-Match": "*"})

    assert answer.status_code == 200
    assert not {"ETag", "Last-Modified", "Cache-Control"} & set(answer.headers)
