"""A month that has not changed costs its requests and no new load; any doubt lands it again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    WAREHOUSE,
    CodeLocation,
    code_location,
)

pytestmark = pytest.mark.stack

_MONTH = "2024-02"
_ERIK = "erik/games/2024/02"


@pytest.fixture
def chess(tmp_path: Path) -> Iterator[CodeLocation]:
    """A code location with one month landed, whose chess.com gives ETags."""
    with code_location(tmp_path, None, True) as location:
        assert location.materialize(_MONTH, LANDING).result.success
        location.faults.requests.clear()
        yield location


def _landed(chess: CodeLocation, *keys: str, **config: Any) -> dict[str, Any]:
    """Land the month again, and return its metadata."""
    run = chess.materialize(_MONTH, *(keys or (LANDING,)), **config)
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
    assert chess.materialize(_MONTH, WAREHOUSE).result.success

    run = chess.materialize(_MONTH)

    landed, loaded = run.materialized()[_MONTH], run.materialized(WAREHOUSE)[_MONTH]
    assert landed["not_modified"]
    assert landed["load_id"] == loaded["load_id"] == _load_id(chess.landing) == before
    assert landed["dagster/partition_row_count"] == 2 * GAMES_PER_MONTH
    assert loaded["skipped"]
    assert landed["http_requests"] == len(chess.faults.requests) == 4
    assert len(chess.faults.asked("games/2024/02")) == 2


def _data_versions(chess: CodeLocation, key: str) -> list[str | None]:
    """Return the data version of each materialization of the month, the newest first."""
    months = dg.AssetRecordsFilter(dg.AssetKey.from_user_string(key), asset_partitions=[_MONTH])
    records = chess.instance.fetch_materializations(months, 100).records
    made = [record.asset_materialization for record in records]
    return [(each.tags or {}).get("dagster/data_version") for each in made if each]


def test_what_is_known_of_an_unchanged_month_is_recorded_again(chess: CodeLocation) -> None:
    before = chess.materialize(_MONTH, LANDING, land_unchanged=True)

    now = _landed(chess)

    of_the_run = {"http_requests", "seconds", "not_modified", "stale_files_deleted", "stale_files"}
    assert now["not_modified"]
    assert {"dagster/column_schema", "games_by_player", "content"} <= {*now}
    assert {name: now[name] for name in {*now} - of_the_run} == {
        name: value
        for name, value in before.materialized()[_MONTH].items()
        if name not in of_the_run
    }


def test_a_month_has_its_content_as_data_version_and_keeps_it_while_it_is_unchanged(
    chess: CodeLocation,
) -> None:
    chess.materialize(_MONTH, WAREHOUSE)
    content = _landed(chess)["content"]
    _landed(chess, land_unchanged=True)

    assert _data_versions(chess, LANDING) == [content] * 3
    assert _data_versions(chess, WAREHOUSE) == [content]

    chess.faults.answer_next(_ERIK, _answer(*map(_game, range(GAMES_PER_MONTH))))
    assert _landed(chess)["content"] != content
    assert _data_versions(chess, LANDING)[0] != content


def test_an_unchanged_month_keeps_the_data_version_that_a_run_over_several_gave_it(
    chess: CodeLocation,
) -> None:
    chess.materialize("2024-01...2024-03", LANDING, WAREHOUSE)
    of_the_run = [_data_versions(chess, key)[0] for key in (LANDING, WAREHOUSE)]

    _landed(chess, LANDING, WAREHOUSE)
    chess.materialize("2024-01...2024-02", LANDING, WAREHOUSE)

    assert _data_versions(chess, LANDING)[:2] == of_the_run[:1] * 2
    assert _data_versions(chess, WAREHOUSE)[:2] == of_the_run[1:] * 2


def test_an_unchanged_answer_is_not_sent_again(chess: CodeLocation) -> None:
    _landed(chess)

    asked = chess.faults.asked("games/2024/02")
    assert all(each.headers["if-none-match"].startswith('W/"') for each in asked)


def test_a_changed_answer_is_landed_with_what_did_not_change(chess: CodeLocation) -> None:
    chess.faults.answer_always(_ERIK, _answer(*map(_game, range(30))))

    landed = _landed(chess, LANDING, WAREHOUSE)

    assert "not_modified" not in landed
    assert landed["games_by_player"] == {"hikaru": GAMES_PER_MONTH, "erik": 30}
    assert chess.rows_by_month() == {_MONTH: GAMES_PER_MONTH + 30}


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


def test_a_damaged_load_is_fetched_again_and_the_run_says_what_was_damaged(
    chess: CodeLocation,
) -> None:
    place = chess.landing.month("chess", "games", _MONTH)
    [file] = Path(place.path).glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-1])

    landed = _landed(chess)

    assert "not_modified" not in landed
    assert landed["dagster/partition_row_count"] == 2 * GAMES_PER_MONTH
    assert str(file) in landed["replaced_damaged_load"]
    assert not any("if-none-match" in each.headers for each in chess.faults.asked(_ERIK))


def test_an_answer_that_holds_does_not_hide_that_the_service_fails(chess: CodeLocation) -> None:
    chess.faults.answer_always(_ERIK, Response(status_code=503))

    run = chess.materialize(_MONTH, LANDING)

    assert "503" in run.error
    assert run.materialized() == {}
