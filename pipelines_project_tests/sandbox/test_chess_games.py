"""Made-up games are like real ones, and the same each time."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pipelines_project.sandbox.chess_games import GeneratedArchives

_ARCHIVES = GeneratedArchives(games_per_month=120, first_month="2024-11")


def _games(archives: GeneratedArchives, player: str, month: str) -> list[dict[str, Any]]:
    return json.loads(archives.games(player, month))["games"]


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
