"""Games that have nothing but what is documented are read quickly into what care makes of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines_project.sandbox.chess_archives import RecordedArchives
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sources.chess.columns import (
    DOCUMENTED,
    documented_games,
    game_rows,
    sorted_games,
)
from pipelines_project.sources.json.arrow_parser import UnfitJsonError
from pipelines_project.sources.json.shape import merged


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connected:
        yield connected


def _with_care(connection: duckdb.DuckDBPyConnection, answer: bytes) -> pa.Table:
    games = sorted_games(connection, "erik", answer)
    return game_rows(connection, games.landing, merged(DOCUMENTED, games.shape))


_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    "VARCHAR": _TEXT,
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "DOUBLE": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 100)),
    "BOOLEAN": st.booleans(),
}
_SECONDS = st.integers(0, 2_000_000_000)


def _objects(shape: Any, often: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Return objects of a shape that lack some of its keys, and have nulls."""
    values = {
        key: _objects(inner, {}) if isinstance(inner, dict) else _VALUES[inner]
        for key, inner in shape.items()
    }
    optional = {
        key: st.one_of(st.none(), value) for key, value in values.items() if key not in often
    }
    return st.fixed_dictionaries(often, optional=optional)


_GAMES = st.lists(
    _objects(DOCUMENTED, {"url": _TEXT, "end_time": _SECONDS, "start_time": _SECONDS}),
    max_size=4,
    unique_by=lambda game: game["url"],
)


@pytest.mark.stack
@given(_GAMES, st.sampled_from([None, 1]))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_read_quickly_is_what_care_makes_of_it(
    connection: duckdb.DuckDBPyConnection, games: list[dict[str, Any]], indent: int | None
) -> None:
    answer = json.dumps({"games": games}, indent=indent).encode()
    try:
        quick = documented_games("erik", answer)
    except UnfitJsonError:
        return

    # As text a zero has its sign, and no number equals another one.
    assert repr(quick.to_pydict()) == repr(_with_care(connection, answer).to_pydict())


@pytest.mark.parametrize(("player", "month"), [("hikaru", "2021-08"), ("erik", "2009-10")])
def test_what_chess_com_answers_is_read_quickly(
    connection: duckdb.DuckDBPyConnection, recorded_data: Path, player: str, month: str
) -> None:
    answer = RecordedArchives(recorded_data / "chess").games(player, month)

    quick = documented_games("erik", answer)

    assert len(quick) > 40
    assert quick.equals(_with_care(connection, answer))


def test_what_the_sandbox_answers_is_read_quickly(connection: duckdb.DuckDBPyConnection) -> None:
    answer = GeneratedArchives(50, "2024-01").games("erik", "2024-01")

    assert documented_games("erik", answer).equals(_with_care(connection, answer))


@pytest.mark.parametrize(
    "more",
    [
        {"new": 1},
        {"white": {"country": "NO"}},
        {"rated": "yes"},
        {"accuracies": {"white": "97.5"}},
        {"end_time": 1.5},
    ],
)
def test_a_game_with_more_than_is_documented_is_left_to_care(more: dict[str, Any]) -> None:
    answer = json.dumps({"games": [{"url": "a", "end_time": 1}, {"url": "b", **more}]}).encode()

    with pytest.raises(UnfitJsonError):
        documented_games("erik", answer)


def test_a_game_has_the_row_id_that_it_always_had(connection: duckdb.DuckDBPyConnection) -> None:
    answer = b'{"games": [{"url": "https://www.chess.com/game/live/1"}]}'

    for games in (documented_games("erik", answer), _with_care(connection, answer)):
        assert games["_dlt_id"].to_pylist() == ["4a33fd701f78d15a6a433151172b6494"]


def test_a_game_that_is_there_twice_is_left_to_care() -> None:
    with pytest.raises(UnfitJsonError, match="twice"):
        documented_games("erik", b'{"games": [{"url": "a"}, {"url": "b"}, {"url": "a"}]}')
