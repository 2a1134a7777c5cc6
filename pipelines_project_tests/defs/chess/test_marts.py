"""The marts of chess: their figures against a plain computation over the recorded answers."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines_project import definitions
from pipelines_project.marts.model import parse_model
from pipelines_project.sandbox.chess_archives import RecordedArchives
from pipelines_project_tests.code_location import MARTS, CodeLocation, code_location

pytestmark = pytest.mark.stack

_DRAWS = {"agreed", "repetition", "stalemate", "insufficient", "50move", "timevsinsufficient"}
_MONTHS = [("erik", "2009-10"), ("hikaru", "2021-08"), ("hikaru", "2021-12")]

Side = tuple[str, str, dict[str, Any], dict[str, Any] | None]
"""A player, a month, a game of theirs, and their side of it if it has their name."""


@pytest.fixture(scope="module")
def modelled(
    recorded_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CodeLocation]:
    """The recorded months, landed and loaded, with the marts built over them."""
    archives = RecordedArchives(recorded_data / "chess")
    settings = {"CHESS_START_MONTH": "2009-10"}
    with code_location(tmp_path_factory.mktemp("marts"), archives, **settings) as location:
        for month in ("2009-10", "2021-08"):
            assert location.materialize(month).result.success
        run = location.run(location.defs.resolve_job_def("chess_materialize"), "2021-12")
        assert run.result.success
        yield location


@pytest.fixture(scope="module")
def sides(recorded_data: Path) -> list[Side]:
    archives = RecordedArchives(recorded_data / "chess")
    return [
        (player, month, game, _side_of(player, game))
        for player, month in _MONTHS
        for game in json.loads(archives.games(player, month))["games"]
    ]


def _side_of(player: str, game: dict[str, Any]) -> dict[str, Any] | None:
    sides = (game["white"], game["black"])
    return next((side for side in sides if side["username"].lower() == player), None)


def test_player_months_are_the_games_won_drawn_and_lost_with_ratings(
    modelled: CodeLocation, sides: list[Side]
) -> None:
    games: Counter[tuple[str, ...]] = Counter()
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for player, month, game, side in sides:
        games[player, month, game["time_class"]] += 1
        if side:
            groups[player, month, game["time_class"]].append(side)
    expected = {
        key: {
            "games": games[key],
            "won": sum(side["result"] == "win" for side in group),
            "drawn": sum(side["result"] in _DRAWS for side in group),
            "lost": sum(side["result"] not in {"win", *_DRAWS} for side in group),
            "average_rating": pytest.approx(
                sum(side["rating"] for side in group) / len(group), abs=0.051
            ),
            "best_rating": max(side["rating"] for side in group),
        }
        for key, group in groups.items()
    }

    rows = _rows(modelled, "player_months", 3)

    assert len(rows) > 5
    assert rows == expected


def test_openings_are_the_games_and_score_of_each_code(
    modelled: CodeLocation, sides: list[Side]
) -> None:
    games: Counter[tuple[str, ...]] = Counter()
    groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for player, _, game, side in sides:
        found = re.search(r'\[ECO "([^"]+)"\]', game.get("pgn", ""))
        key = (player, found[1] if found else "unknown")
        games[key] += 1
        if side:
            result = side["result"]
            groups[key].append(1 if result == "win" else 0.5 if result in _DRAWS else 0)
    expected = {
        key: {
            "games": games[key],
            "score": sum(points),
            "score_per_game": pytest.approx(sum(points) / len(points), abs=0.00051),
        }
        for key, points in groups.items()
    }

    rows = _rows(modelled, "openings", 2)

    assert len(rows) > 50
    assert {key: {**row, "score": float(row["score"])} for key, row in rows.items()} == expected


def _rows(location: CodeLocation, mart: str, keys: int) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the rows of a mart by their first columns."""
    with location.warehouse.connect() as connection:
        answer = connection.execute(f"select * from chess_marts.{mart}").to_arrow_table()
    names = answer.column_names[keys:]
    return {
        tuple(row[name] for name in answer.column_names[:keys]): {name: row[name] for name in names}
        for row in answer.to_pylist()
    }


def test_months_built_one_by_one_come_to_the_full_build(modelled: CodeLocation) -> None:
    path = Path(definitions.__file__).parent / "defs" / "chess" / "marts" / "player_months.sql"

    model = parse_model(path)

    assert model.is_incremental
    rows = modelled.warehouse.rows("from chess_marts.player_months order by all")
    assert rows == modelled.warehouse.rows(f"from ({model.sql}) order by all")


def test_a_range_of_months_can_be_loaded_and_modelled_in_one_run(chess: CodeLocation) -> None:
    chess.materialize("2024-01...2024-03", "landing/chess/games")

    run = chess.materialize("2024-01...2024-03", "warehouse/chess/games", *MARTS)

    assert run.result.success
    months = chess.warehouse.rows("select distinct month from chess_marts.player_months order by 1")
    assert months == [("2024-01",), ("2024-02",), ("2024-03",)]
    openings, player_months = (run.materialized(mart) for mart in MARTS)
    assert openings[""]["dagster/row_count"] > 0
    assert [*player_months] == ["2024-01", "2024-02", "2024-03"]


def test_a_game_of_a_player_who_was_renamed_counts_and_is_neither_won_nor_lost(
    chess: CodeLocation,
) -> None:
    chess.materialize("2024-01")
    with chess.warehouse.connect() as connection:
        connection.execute(
            "insert into chess.games (month, player, url, time_class, white__username, "
            "white__result, black__username, black__result) "
            "values ('2024-01', 'erik', 'x', 'renamed', 'Newname', 'win', 'other', 'resigned')"
        )
        connection.execute("update chess.games set pgn = '[ECO \"Z99\"]' where url = 'x'")

    assert chess.materialize("2024-01", *MARTS).result.success

    assert _rows(chess, "player_months", 3)["erik", "2024-01", "renamed"] == {
        "games": 1,
        "won": 0,
        "drawn": 0,
        "lost": 0,
        "average_rating": None,
        "best_rating": None,
    }
    assert _rows(chess, "openings", 2)["erik", "Z99"] == {
        "games": 1,
        "score": None,
        "score_per_game": None,
    }
