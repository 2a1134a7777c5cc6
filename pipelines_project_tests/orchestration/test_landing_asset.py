"""The asset `landing/chess/games`: what a run over months lands, records, replaces and refuses."""

import json
import re
import shlex
import time
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner
from dagster._cli import create_dagster_cli  # The command line has no public name.
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines_project import definitions
from pipelines_project.sandbox.chess_archives import RecordedArchives
from pipelines_project.sandbox.faults import broken_off, half
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LAND,
    LANDING,
    WAREHOUSE,
    CodeLocation,
    Run,
    code_location,
)
from pipelines_project_tests.landings import rows_of, tree, write_load

FOUR = [f"2024-0{number}" for number in range(1, 5)]
ROWS = 2 * GAMES_PER_MONTH


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeLocation]:
    """A code location where January to March 2024 are landed and loaded, for tests to fail in."""
    with code_location(tmp_path_factory.mktemp("loaded")) as location:
        assert location.materialize("2024-01...2024-03").result.success
        yield location


@pytest.fixture
def unharmed(loaded: CodeLocation) -> Iterator[CodeLocation]:
    """The same, and nothing in it may have changed after the test."""
    loaded.faults.clear()
    before = _everything(loaded)
    yield loaded
    assert _everything(loaded) == before


def _everything(location: CodeLocation) -> Any:
    query = "select * from chess.games order by month, player, url"
    return tree(Path(location.landing.url)), location.warehouse.rows(query)


def _live_loads(location: CodeLocation, month: str) -> list[str]:
    place = location.landing.month("chess", "games", month)
    assert place.listing().committed == [*place.listing().files]
    return place.listing().committed


@pytest.mark.stack
def test_a_month_is_recorded_with_all_that_is_known_of_it(chess: CodeLocation) -> None:
    run = chess.materialize("2024-02", LANDING)

    files = list((Path(chess.landing.url) / "chess/games/month=2024-02").glob("*.parquet"))
    metadata = run.materialized()["2024-02"]
    schema = {column.name: column for column in metadata["dagster/column_schema"].columns}
    assert schema["url"].description.startswith("the address of the game")
    assert (metadata["dagster/partition_row_count"], metadata["files"]) == (ROWS, len(files))
    assert metadata["bytes"] == sum(file.stat().st_size for file in files) > 0
    assert metadata["dagster/uri"] == f"file://{files[0].parent}"
    assert metadata["dagster/storage_kind"] == "filesystem"
    assert metadata["load_id"] == chess.landing.month("chess", "games", "2024-02").current_load()
    assert metadata["games_by_player"] == {"hikaru": GAMES_PER_MONTH, "erik": GAMES_PER_MONTH}
    assert (metadata["stale_files_deleted"], metadata["stale_files"]) == (0, [])
    assert metadata["http_requests"] == len(chess.faults.requests) == 4
    assert 0 < metadata["seconds"] < 60
    assert "superseded" not in metadata
    assert schema["accuracies__white"].type == "double"
    assert schema["end_time"].type == "timestamp"
    assert not schema["url"].constraints.nullable


@pytest.mark.stack
def test_every_request_names_the_contact(chess: CodeLocation) -> None:
    chess.materialize("2024-02", LANDING)

    agents = {asked.headers["user-agent"] for asked in chess.faults.requests}
    assert agents == {"pipelines-project (tests@example.com)"}


@pytest.mark.stack
def test_every_month_of_a_range_has_metadata_of_its_own(loaded: CodeLocation) -> None:
    records = loaded.instance.fetch_materializations(dg.AssetKey.from_user_string(LANDING), 3)
    found = [each.asset_materialization for each in records.records]

    assert {each.partition for each in found if each} == {"2024-01", "2024-02", "2024-03"}
    assert len({str(each.metadata["load_id"].value) for each in found if each}) == 3
    # One for each player's month, and one for each player's list in the first month.
    assert [each.metadata["http_requests"].value for each in found if each] == [2, 2, 4]


@pytest.mark.stack
def test_a_month_landed_twice_is_one_live_load_with_the_same_rows(chess: CodeLocation) -> None:
    first = chess.materialize("2024-02")
    again = chess.materialize("2024-02")

    old, new = first.materialized()["2024-02"], again.materialized()["2024-02"]
    place = chess.landing.month("chess", "games", "2024-02")
    assert _live_loads(chess, "2024-02") == [new["load_id"]]
    assert old["load_id"] != new["load_id"]
    assert old["games_by_player"] == new["games_by_player"]
    assert new["stale_files_deleted"] == len(new["stale_files"]) == 2
    assert new["stale_files"][0] == place.record_path(old["load_id"])
    assert new["stale_files"][1].startswith(f"{place.path}/{old['load_id']}.")
    assert chess.rows_by_month() == {"2024-02": ROWS}
    assert again.materialized(WAREHOUSE)["2024-02"]["skipped"] is False
    assert all(check.passed for name, check in again.checks().items() if "fresh" not in name)


@pytest.mark.stack
def test_recorded_months_are_in_files_and_warehouse_what_they_were_in_the_answers(
    tmp_path: Path, recorded_data: Path
) -> None:
    archives = RecordedArchives(recorded_data / "chess")
    games = {
        month: len(json.loads(archives.games("hikaru", month))["games"])
        for month in ("2021-07", "2021-08", "2021-09")
    }
    with code_location(tmp_path, archives, CHESS_PLAYERS="hikaru") as chess:
        for _ in range(2):
            run = chess.materialize("2021-07...2021-09")

            landed = run.materialized()
            rows = {month: each["dagster/partition_row_count"] for month, each in landed.items()}
            assert rows == chess.rows_by_month() == games
            assert {len(_live_loads(chess, month)) for month in games} == {1}
            loads = run.materialized(WAREHOUSE).values()
            assert [load["skipped"] for load in loads] == [False] * 3
        only_loaded = chess.materialize("2021-07...2021-09", WAREHOUSE).materialized(WAREHOUSE)

    assert [load["skipped"] for load in only_loaded.values()] == [True] * 3


def test_a_rerun_month_replaces_only_its_own_files(chess: CodeLocation) -> None:
    chess.materialize("2024-01...2024-03", LANDING)
    before = tree(Path(chess.landing.url))

    chess.materialize("2024-02", LANDING)

    after = tree(Path(chess.landing.url))
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed
    assert all("month=2024-02" in name or "games_2024_02__" in name for name in changed)


@pytest.mark.stack
def test_a_month_without_games_is_an_empty_load_with_all_columns(chess: CodeLocation) -> None:
    run = chess.materialize("2022-12")

    load = chess.landing.month("chess", "games", "2022-12").current_files()
    assert load
    assert rows_of(chess.landing, load) == []
    metadata = run.materialized()["2022-12"]
    schema = {column.name for column in metadata["dagster/column_schema"].columns}
    assert metadata["games_by_player"] == {"hikaru": 0, "erik": 0}
    assert (metadata["dagster/partition_row_count"], metadata["files"]) == (0, 1)
    assert {*duckdb.read_parquet(load.files).columns} == schema
    assert run.materialized(WAREHOUSE)["2022-12"]["dagster/partition_row_count"] == 0
    assert chess.rows_by_month() == {}


def test_a_month_that_fails_does_not_stop_the_others(chess: CodeLocation) -> None:
    failing = "2024-03"
    path = f"hikaru/games/{failing.replace('-', '/')}"
    chess.faults.answer_always(path, Response(status_code=404))

    run = chess.materialize("2024-01...2024-04")

    good = [month for month in FOUR if month != failing]
    assert not run.result.success
    assert run.error.startswith(
        f"1 of 4 months of {LANDING} failed:\n"
        f"- {failing}: chess.com lists {failing} of 'hikaru' but answers 404 for it\n"
        f"What was landed of {failing} before is unchanged. Once mended:\n"
    )
    assert "\nThe other 3 are landed." in run.error
    assert run.failed_steps == [LAND]
    assert f"{failing} failed: chess.com lists" in "\n".join(run.log("ERROR"))
    assert [*run.materialized()] == good
    assert {each["dagster/partition_row_count"] for each in run.materialized().values()} == {ROWS}
    assert chess.months_materialized() == {*good}
    assert chess.landing.months("chess", "games") == good
    assert run.materialized(WAREHOUSE) == {}

    chess.faults.clear()
    assert chess.materialize("2024-03...2024-04").result.success
    assert chess.rows_by_month() == dict.fromkeys(FOUR[2:], ROWS)


@pytest.mark.stack
def test_the_printed_commands_load_the_good_months(chess: CodeLocation) -> None:
    failing = "2024-03"
    path = f"hikaru/games/{failing.replace('-', '/')}"
    chess.faults.answer_always(path, Response(status_code=404))
    run = chess.materialize("2024-01...2024-06")

    _run_printed_commands(chess, run, "warehouse/")
    good = ["2024-01", "2024-02", "2024-04", "2024-05", "2024-06"]
    assert chess.rows_by_month() == dict.fromkeys(good, ROWS)

    chess.faults.clear()
    assert chess.materialize(failing).result.success
    assert chess.rows_by_month() == dict.fromkeys(sorted([*good, failing]), ROWS)


@pytest.mark.stack
def test_the_good_months_of_a_run_in_which_one_failed_are_tidied(chess: CodeLocation) -> None:
    chess.materialize("2024-01...2024-03", LANDING)
    chess.faults.answer_always("hikaru/games/2024/02", Response(status_code=404))

    run = chess.materialize("2024-01...2024-03", LANDING)

    assert run.failed_steps == [LAND]
    assert {
        month: metadata["stale_files_deleted"] for month, metadata in run.materialized().items()
    } == {"2024-01": 2, "2024-03": 2}
    assert [len(_live_loads(chess, month)) for month in FOUR[:3]] == [1, 1, 1]


@pytest.mark.stack
def test_the_good_months_of_a_run_in_which_one_failed_keep_the_loads_that_it_asks_for(
    chess: CodeLocation,
) -> None:
    chess.materialize("2024-01...2024-02", LANDING)
    chess.faults.answer_always("hikaru/games/2024/02", Response(status_code=404))

    chess.materialize("2024-01...2024-02", LANDING, keep_loads=1)

    kept = chess.landing.month("chess", "games", "2024-01").listing().committed
    assert len(kept) == 2


def _run_printed_commands(location: CodeLocation, run: Run, layer: str) -> None:
    printed = [line for line in run.error.splitlines() if line.startswith("  dagster ")]
    commands = [line for line in printed if layer in line]
    assert commands
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        # The command line says that `dg` supersedes it.
        warnings.simplefilter("ignore")
        patch.setenv("LANDING_URL", location.landing.url)
        patch.setenv("WAREHOUSE_URL", location.warehouse.url)
        # A process of its own would not have loaded them with other settings before.
        patch.setattr(definitions, "defs", dg.definitions(cache(definitions.load)))
        for command in commands:
            answer = CliRunner().invoke(create_dagster_cli(), shlex.split(command)[1:])
            assert answer.exit_code == 0, answer.output


_BODY = json.dumps({"games": [{"url": "one"}] * 9}).encode()
_HALF, _BROKEN = half(_BODY), broken_off(_BODY)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("games/2024/02", Response(status_code=404), "lists 2024-02 of 'erik' but answers 404"),
        ("games/2024/02", JSONResponse({"games": []}), "0 games for 'erik' in 2024-02, where 20"),
        ("games/archives", JSONResponse({"archives": []}), "0 games for 'erik' in 2024-02"),
        ("games/archives", Response(status_code=404), "knows no player 'erik'"),
        ("games/archives", Response(status_code=410), "has closed 'erik'"),
        ("games/2024/02", Response(status_code=403), "refused 'erik'"),
        ("games/2024/02", Response(status_code=500), "/erik/games/2024/02 answered 500"),
        ("games/2024/02", _HALF, "InvalidJSONError: .*/erik/games/2024/02"),
        ("games/2024/02", _BROKEN, "/erik/games/2024/02 broke off"),
        ("games/archives", _BROKEN, "/erik/games/archives broke off"),
        ("games/2024/02", JSONResponse([]), r"/erik/games/2024/02 answered '\[\]'"),
    ],
)
def test_an_answer_that_cannot_be_right_names_player_and_month_and_changes_nothing(
    unharmed: CodeLocation, path: str, answer: ASGIApp, reason: str
) -> None:
    unharmed.faults.answer_always(f"erik/{path}", answer)

    run = unharmed.materialize("2024-02")

    assert not run.result.success
    assert run.materialized() == {}
    assert re.search(rf"^- 2024-02: .*{reason}", run.error, re.MULTILINE)


@pytest.mark.stack
def test_a_service_that_cannot_be_reached_is_an_error_that_changes_nothing(
    loaded: CodeLocation,
) -> None:
    folder = Path(loaded.landing.url).parent
    before = _everything(loaded)
    with code_location(folder, CHESS_API_URL="http://127.0.0.1:9/pub") as unreachable:
        run = unreachable.materialize("2024-02")
        logged = run.log("WARNING")

    down = "http://127.0.0.1:9/pub/player/hikaru/games/archives could not be reached"
    assert f"- 2024-02: {down} (Connection refused): tried 3 times" in run.error
    assert len([line for line in logged if down in line and "trying again" in line]) == 2
    assert _everything(loaded) == before


@pytest.mark.stack
def test_a_player_who_loses_most_games_of_a_month_is_refused(unharmed: CodeLocation) -> None:
    nine = [{"url": f"https://www.chess.com/game/live/{n}"} for n in range(9)]
    unharmed.faults.answer_always("erik/games/2024/02", JSONResponse({"games": nine}))

    run = unharmed.materialize("2024-02")

    assert "answers 9 games for 'erik' in 2024-02, where 20 are landed" in run.error
    assert "run config allow_shrink: true" in run.error
    assert (
        "or with this in the launchpad (hold Shift and click Materialize):\n"
        "ops:\n  landing__chess__games:\n    config:\n      allow_shrink: true" in run.error
    )


@pytest.mark.stack
def test_a_player_may_lose_half_of_the_games_of_a_month(chess: CodeLocation) -> None:
    chess.materialize("2024-02", LANDING)
    ten = [{"url": f"https://www.chess.com/game/live/{n}"} for n in range(10)]
    chess.faults.answer_always("erik/games/2024/02", JSONResponse({"games": ten}))

    run = chess.materialize("2024-02", LANDING)

    assert run.materialized()["2024-02"]["games_by_player"] == {"hikaru": 20, "erik": 10}


@pytest.mark.stack
def test_allow_shrink_lets_a_month_become_empty(chess: CodeLocation) -> None:
    chess.materialize("2024-02")
    chess.faults.answer_always("erik/games/2024/02", JSONResponse({"games": []}))

    run = chess.materialize("2024-02", allow_shrink=True)

    assert run.materialized()["2024-02"]["games_by_player"] == {"hikaru": 20, "erik": 0}
    assert chess.rows_by_month() == {"2024-02": GAMES_PER_MONTH}


@pytest.mark.stack
def test_a_player_who_is_no_longer_tracked_may_go(chess: CodeLocation, tmp_path: Path) -> None:
    chess.materialize("2024-02")
    with code_location(tmp_path, CHESS_PLAYERS="hikaru") as fewer:
        run = fewer.materialize("2024-02")

        assert run.materialized()["2024-02"]["games_by_player"] == {"hikaru": 20}
        assert fewer.rows_by_month() == {"2024-02": GAMES_PER_MONTH}


@pytest.mark.stack
def test_a_month_whose_files_are_gone_can_be_landed_again(chess: CodeLocation) -> None:
    chess.materialize("2024-02")
    for file in (Path(chess.landing.url) / "chess/games/month=2024-02").glob("*.parquet"):
        file.unlink()
    assert "Land 2024-02 again" in chess.materialize("2024-02", WAREHOUSE).error

    assert chess.materialize("2024-02").result.success

    assert chess.rows_by_month() == {"2024-02": ROWS}


@pytest.mark.stack
def test_a_run_that_was_killed_while_it_made_the_first_folder_blocks_no_other(
    chess: CodeLocation,
) -> None:
    (Path(chess.landing.url) / "chess").mkdir(parents=True)

    assert chess.materialize("2024-02").result.success


@pytest.mark.stack
def test_a_run_that_a_newer_load_has_overtaken_says_so_and_leaves_the_newer_one(
    chess: CodeLocation,
) -> None:
    place = chess.landing.month("chess", "games", "2024-02")
    newer: list[str] = []

    async def overtaken(scope: Scope, receive: Receive, send: Send) -> None:
        newer.append(str(time.time()))
        write_load(place, newer[0], [[{"player": "erik", "url": "one"}]])
        await JSONResponse({"games": [{"url": "two"}]})(scope, receive, send)

    chess.faults.answer_next("erik/games/2024/02", overtaken)

    metadata = chess.materialize("2024-02", LANDING).materialized()["2024-02"]

    assert (metadata["superseded"], metadata["superseded_by"]) == (True, newer[0])
    # The run removes its own load itself: nothing of it is left for what runs next.
    assert metadata["stale_files"] == []
    assert metadata["load_id"] < newer[0]
    assert _live_loads(chess, "2024-02") == newer


@pytest.mark.stack
def test_a_load_of_a_clock_that_is_ahead_stops_the_month_and_names_both_clocks(
    chess: CodeLocation,
) -> None:
    ahead = str(time.time() + 3600)
    write_load(chess.landing.month("chess", "games", "2024-02"), ahead)

    run = chess.materialize("2024-02...2024-03", LANDING)

    assert f"- 2024-02: the current load {ahead} of chess/games 2024-02" in run.error
    assert f"discard_load_id: '{ahead}'" in run.error
    config = json.dumps({"discard_load_id": ahead})
    job = "python -m pipelines_project.run_job chess_delete_stale_files"
    assert f"  {job} --partition 2024-02 --config '{config}'\n" in run.error
    assert [*run.materialized()] == ["2024-03"]
    assert _live_loads(chess, "2024-02") == [ahead]
