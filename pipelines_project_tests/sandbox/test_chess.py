"""The chess sandbox answers as chess.com does."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines_project.sandbox.chess import GeneratedArchives, RecordedArchives, chess_app
from pipelines_project.sandbox.server import serving

_CONTACT = {"User-Agent": "sandbox-tests (contact: me@example.com)"}
_ARCHIVES = GeneratedArchives(games_per_month=120, first_month="2024-11")


@pytest.fixture(scope="module")
def player_url() -> Iterator[str]:
    with serving(chess_app(_ARCHIVES)) as url:
        yield f"{url}/pub/player"


def _get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=_CONTACT | headers, timeout=5)


def _games(archives: GeneratedArchives, player: str, month: str) -> list[dict[str, Any]]:
    return json.loads(archives.games(player, month))["games"]


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


def test_recorded_answers_are_served_as_they_came(tmp_path: Path) -> None:
    body = b'{"games": [ {"url": "one"} ]}\n'
    (tmp_path / "Erik").mkdir()
    (tmp_path / "Erik" / "2009-10.json.gz").write_bytes(gzip.compress(body))
    with serving(chess_app(RecordedArchives(tmp_path), validators=False)) as url:
        listed = _get(f"{url}/pub/player/erik/games/archives").json()["archives"]

        assert listed == [f"{url}/pub/player/erik/games/2009/10"]
        assert _get(listed[0]).content == body
        assert _get(f"{url}/pub/player/erik/games/2009/11").json() == {"games": []}
        assert _get(f"{url}/pub/player/hikaru/games/archives").status_code == 404


def test_only_the_named_players_are_known_where_names_are_given() -> None:
    archives = GeneratedArchives(players=["Nobody1"])

    assert archives.months("nobody1")
    assert archives.months("hikaru") is None


def test_the_same_games_are_made_in_every_process() -> None:
    games = _games(GeneratedArchives(games_per_month=2), "hikaru", "2024-02")

    assert [game["url"] for game in games] == [
        "https://www.chess.com/game/live/63768424289000000",
        "https://www.chess.com/game/live/63768424289000001",
    ]
    assert games[0]["uuid"] == "e3dd2ce6-dd0c-1b55-b3c8-d9cfe14f763c"


def test_no_two_games_of_a_player_have_one_address() -> None:
    games = [
        game["url"]
        for month in _ARCHIVES.months("hikaru") or []
        for game in _games(_ARCHIVES, "hikaru", month)
    ]

    assert len(set(games)) == len(games)


def test_games_come_by_their_end_and_the_last_ends_just_after_the_month() -> None:
    ends = [game["end_time"] for game in _games(_ARCHIVES, "hikaru", "2024-12")]

    assert ends == sorted(ends)
    assert f"{datetime.fromtimestamp(ends[0], UTC):%Y-%m}" == "2024-12"
    assert datetime.fromtimestamp(ends[-2], UTC).month == 12
    assert datetime.fromtimestamp(ends[-1], UTC) == datetime(2025, 1, 1, 0, 1, tzinfo=UTC)


def test_a_game_has_every_field_of_a_real_one_and_some_only_sometimes() -> None:
    games = _games(_ARCHIVES, "hikaru", "2024-12")
    always = "url pgn time_control end_time rated tcn uuid initial_setup fen time_class rules"
    sometimes = {"accuracies", "tournament", "match", "start_time", "eco"}
    fields = Counter(field for game in games for field in game)

    assert {name for name, count in fields.items() if count == len(games)} == {
        *always.split(),
        "white",
        "black",
    }
    assert {name for name, count in fields.items() if count < len(games)} == sometimes
    for side in (side for game in games for side in (game["white"], game["black"])):
        assert set(side) == {"rating", "result", "@id", "username", "uuid"}


def test_accuracies_are_whole_numbers_beside_fractions_and_missing_in_variants() -> None:
    games = _games(_ARCHIVES, "hikaru", "2024-12")
    kinds = {type(value) for game in games for value in game.get("accuracies", {}).values()}
    variants = [game for game in games if game["rules"] != "chess"]

    assert kinds == {int, float}
    assert type(games[0]["accuracies"]["white"]) is int
    assert variants
    assert not any("accuracies" in game for game in variants)


def test_a_game_tells_one_story_in_results_and_pgn() -> None:
    scores = {("win", False): "1-0", (False, "win"): "0-1"}
    for game in _games(_ARCHIVES, "hikaru", "2024-12"):
        white, black = game["white"]["result"], game["black"]["result"]
        score = scores.get((white == "win" and white, black == "win" and black), "1/2-1/2")

        assert f'[Result "{score}"]' in game["pgn"]
        assert game["pgn"].endswith(f" {score}\n")
        assert (score == "1/2-1/2") == (white == black)
        assert "Hikaru" in (game["white"]["username"], game["black"]["username"])


def test_a_year_of_games_has_all_the_common_results() -> None:
    months = (f"2024-{month:02d}" for month in range(1, 13))
    games = (game for month in months for game in _games(_ARCHIVES, "hikaru", month))
    results = {game[side]["result"] for game in games for side in ("white", "black")}

    assert results == {
        *("win", "checkmated", "agreed", "repetition", "timeout"),
        *("resigned", "stalemate", "abandoned"),
    }


def test_a_month_of_1000_games_is_made_quickly() -> None:
    archives = GeneratedArchives(games_per_month=1_000)
    started = time.process_time()
    body = archives.games("quick", "2024-12")
    seconds = time.process_time() - started

    assert seconds < 0.2
    assert archives.games("Quick", "2024-12") is body
