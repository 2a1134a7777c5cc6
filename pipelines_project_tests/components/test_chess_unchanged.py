"""A month that has not changed costs its requests and no new load; any doubt lands it again."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LAND,
    LANDING,
    WAREHOUSE,
    CodeLocation,
    code_location,
)

_MONTH = "2024-02"
_ERIK = "erik/games/2024/02"


@pytest.fixture
def chess(tmp_path: Path) -> Iterator[CodeLocation]:
    """A code location with one month landed and loaded, whose chess.com gives ETags."""
    with code_location(tmp_path, None, True) as location:
        assert location.materialize(_MONTH).result.success
        location.faults.requests.clear()
        yield location


def _landed(chess: CodeLocation, *keys: str, **config: Any) -> dict[str, Any]:
    """Land the month again, and return its metadata."""
    run = chess.materialize(_MONTH, *(keys or (LANDING,)), **({LAND: config} if config else {}))
    assert run.result.success, run.error
    return run.materialized()[_MONTH]


def _load_id(landing: LandingZone) -> str | None:
    return landing.month("chess", "games", _MONTH).current_load()


def _game(number: int) -> dict[str, Any]:
    return {"url": f"https://www.chess.com/game/live/{number}", "end_time": 1_706_800_000}


def _answer(*games: dict[str, Any], etag: str | None = '"new"') -> Response:
    headers = {"ETag": etag, "Cache-Control": "max-age=43200"} if etag else {}
    body = json.dumps({"games": games})
    return Response(body, media_type="application/json", headers=headers)


def test_an_unchanged_month_costs_one_request_a_player_and_keeps_its_load(
    chess: CodeLocation,
) -> None:
    before = _load_id(chess.landing)

    run = chess.materialize(_MONTH)

    landed, loaded = run.materialized()[_MONTH], run.materialized(WAREHOUSE)[_MONTH]
    assert landed["not_modified"]
    assert landed["load_id"] == loaded["load_id"] == _load_id(chess.landing) == before
    assert landed["dagster/partition_row_count"] == 2 * GAMES_PER_MONTH
    assert loaded["skipped"]
    assert landed["http_requests"] == len(chess.faults.requests) == 4
    assert len(chess.faults.asked("games/2024/02")) == 2


def test_an_unchanged_answer_is_not_sent_again(chess: CodeLocation) -> None:
    _landed(chess)

    asked = chess.faults.asked("games/2024/02")
    assert all(each.headers["if-none-match"].startswith('W/"') for each in asked)
    assert {each.headers["cache-control"] for each in asked} == {"no-cache"}


def test_a_changed_answer_is_landed_with_what_did_not_change(chess: CodeLocation) -> None:
    chess.faults.answer_always(_ERIK, _answer(*map(_game, range(30))))

    landed = _landed(chess, LANDING, WAREHOUSE)

    assert "not_modified" not in landed
    assert landed["games_by_player"] == {"hikaru": GAMES_PER_MONTH, "erik": 30}
    assert chess.rows_by_month() == {_MONTH: GAMES_PER_MONTH + 30}
    assert _landed(chess)["not_modified"]


def test_another_set_of_players_is_landed(chess: CodeLocation) -> None:
    before = _load_id(chess.landing)

    run = chess.with_attributes(players="hikaru").materialize(_MONTH, LANDING)

    assert run.materialized()[_MONTH]["games_by_player"] == {"hikaru": GAMES_PER_MONTH}
    assert _load_id(chess.landing) != before


def test_rows_of_another_schema_are_landed(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines_project.sources.chess.games._SCHEMA_VERSION", "another")

    assert "not_modified" not in _landed(chess)


def test_a_run_can_land_an_unchanged_month_all_the_same(chess: CodeLocation) -> None:
    before = _load_id(chess.landing)

    assert "not_modified" not in _landed(chess, land_unchanged=True)
    assert _load_id(chess.landing) != before


@pytest.mark.parametrize("etag", [None, ""])
def test_an_answer_without_an_etag_is_landed_each_time(
    chess: CodeLocation, etag: str | None
) -> None:
    chess.faults.answer_always(_ERIK, _answer(_game(1), *map(_game, range(20)), etag=etag))

    assert "not_modified" not in _landed(chess)
    assert "not_modified" not in _landed(chess)


@pytest.mark.parametrize("lost", ["*.parquet", "_*.json"])
def test_a_load_that_is_not_whole_is_landed_from_the_kept_answers(
    chess: CodeLocation, lost: str
) -> None:
    place = chess.landing.month("chess", "games", _MONTH)
    for path in Path(place.path).glob(lost):
        path.unlink()

    landed = _landed(chess)

    assert "not_modified" not in landed
    assert landed["dagster/partition_row_count"] == 2 * GAMES_PER_MONTH
    assert all("if-none-match" in each.headers for each in chess.faults.asked(_ERIK))


def test_answers_that_a_failed_run_has_kept_are_landed_by_the_next(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    chess.faults.answer_always(_ERIK, _answer(*map(_game, range(30))))
    with monkeypatch.context() as patch:
        patch.setattr(Landing, "_load", lambda *_: 1 / 0)
        assert not chess.materialize(_MONTH, LANDING).result.success

    assert _landed(chess)["games_by_player"]["erik"] == 30


def test_a_kept_answer_does_not_hide_that_the_service_fails(chess: CodeLocation) -> None:
    chess.faults.answer_always(_ERIK, Response(status_code=503))

    run = chess.materialize(_MONTH, LANDING)

    assert "503" in run.error
    assert run.materialized() == {}


def test_a_damaged_cache_costs_no_more_than_its_answers(
    chess: CodeLocation, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database" * 1000)

    run = chess.with_attributes(http_cache=str(damaged)).materialize(_MONTH, LANDING)

    # The ETag is that of the current load, wherever the answer came from.
    assert run.materialized()[_MONTH]["not_modified"]
    assert damaged.read_bytes() == b"no database" * 1000


def test_the_cache_grows_no_larger_than_it_may(tmp_path: Path) -> None:
    cache = tmp_path / "small.db"
    with code_location(tmp_path, GeneratedArchives(300), True) as location:
        small = location.with_attributes(http_cache=str(cache), http_cache_megabytes=1)

        assert small.materialize("2024-01...2024-04", LANDING).result.success

    with closing(sqlite3.connect(cache)) as database:
        [[pages]] = database.execute("pragma page_count").fetchall()
        [[page_size]] = database.execute("pragma page_size").fetchall()
    assert 2**19 < pages * page_size <= 2 * 2**20
    assert len(small.landing.months("chess", "games")) == 4


def test_the_answers_are_where_the_setting_says_also_without_a_folder(
    chess: CodeLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert chess.with_attributes(http_cache="here.db").materialize(_MONTH, LANDING).result.success

    assert HttpCache(tmp_path / "here.db", 2**20).count("/player/erik/") > 0
