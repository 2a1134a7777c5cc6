"""The job that forgets: a player's rows are nowhere any more, and all others are as they were."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.forget.forgetting import Forgetting
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    Run,
    code_location,
)
from pipelines_project_tests.landings import tree

pytestmark = pytest.mark.stack

PLAYER = "someone-to-forget"
MONTH, OTHER = "2024-02", "2024-01"
ROWS = "select * exclude (_dlt_load_id) from chess.games where player = 'hikaru' order by all"


def _forget(location: CodeLocation, player: str = PLAYER, **config: Any) -> Run:
    job = location.defs.resolve_job_def("chess_forget")
    op = {"config": {"player": player, "dry_run": False, **config}}
    return location.run(job, config={"ops": {"chess_forget_rows": op}})


def _place(location: CodeLocation, month: str = MONTH) -> LandedMonth:
    return location.landing.month("chess", "games", month)


def _files_that_name(folder: Path) -> list[str]:
    return [path for path, content in tree(folder).items() if PLAYER.encode() in (content or b"")]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of two players, one of them with a kept load, loaded and modelled."""
    folder = tmp_path_factory.mktemp("prepared")
    with code_location(folder, CHESS_PLAYERS=f"hikaru,{PLAYER}") as location:
        for months in (f"{OTHER}...{MONTH}", MONTH):
            run = location.materialize(months, keep_loads=1)
            assert run.result.success, run.error
        assert location.materialize(f"{OTHER}...{MONTH}", *MARTS).result.success
    return folder


@pytest.fixture
def landed(prepared: Path, tmp_path: Path) -> Iterator[CodeLocation]:
    """The prepared months, where the player is tracked still."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    with code_location(tmp_path, CHESS_PLAYERS=f"hikaru,{PLAYER}") as location:
        yield location


@pytest.fixture
def fewer(prepared: Path, tmp_path: Path) -> Iterator[CodeLocation]:
    """The prepared months, where the player is not tracked any more."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    with code_location(tmp_path, CHESS_PLAYERS="hikaru") as location:
        yield location


def test_a_players_rows_go_everywhere_and_all_others_stay(
    fewer: CodeLocation, tmp_path: Path
) -> None:
    before = fewer.warehouse.rows(ROWS)
    files = "".join(_files_that_name(tmp_path))
    assert all(place in files for place in (f"month={OTHER}", "warehouse.duckdb"))

    run = _forget(fewer)

    assert run.result.success, run.error
    assert _files_that_name(tmp_path) == []
    assert fewer.warehouse.rows(ROWS) == before
    assert fewer.rows_by_month() == {OTHER: GAMES_PER_MONTH, MONTH: GAMES_PER_MONTH}
    # The kept load, which held the player too, is gone.
    assert [len(_place(fewer, month).listing().committed) for month in (OTHER, MONTH)] == [1, 1]
    for mart in ("openings", "player_months"):
        players = fewer.warehouse.rows(f"select distinct player from chess_marts.{mart}")
        assert players == [("hikaru",)]


def test_what_went_is_listed_by_month_and_by_mart(fewer: CodeLocation) -> None:
    [(openings,)], [(months,)] = (
        fewer.warehouse.rows(f"select count(*) from chess_marts.{mart} where player = '{PLAYER}'")
        for mart in ("openings", "player_months")
    )

    run = _forget(fewer)

    n = GAMES_PER_MONTH
    went = run.output_metadata["rows"]
    assert went == {
        f"games {OTHER}": {"current load": n, "records": 1, "warehouse": n},
        f"games {MONTH}": {"current load": n, "kept loads": n, "records": 2, "warehouse": n},
        "chess_marts.openings": {"rows": openings, "published": openings},
        "chess_marts.player_months": {"rows": months, "published": months},
    }


def test_afterwards_all_is_in_order_and_nothing_is_left_to_do(fewer: CodeLocation) -> None:
    run = _forget(fewer)

    landed = run.materialized(LANDING)
    assert {month: said["rows_forgotten"] for month, said in landed.items()} == {
        OTHER: GAMES_PER_MONTH,
        MONTH: GAMES_PER_MONTH,
    }
    assert run.materialized(WAREHOUSE).keys() == {OTHER, MONTH}
    assert run.materialized(MARTS[0])
    assert run.materialized(MARTS[1]).keys() == {OTHER, MONTH}
    checks = fewer.check()
    failed = {name for name, check in checks.items() if not check.passed}
    # One month has a kept load, which the source's own settings do not ask for.
    assert failed <= {"current_month_is_fresh", "no_stale_files"}
    again = fewer.materialize(f"{OTHER}...{MONTH}", WAREHOUSE).materialized(WAREHOUSE)
    assert [said["skipped"] for said in again.values()] == [True, True]
    before = tree(Path(fewer.landing.url))
    assert _forget(fewer).output_metadata["rows"] == {}
    assert tree(Path(fewer.landing.url)) == before


def test_a_dry_run_lists_the_same_and_changes_nothing(fewer: CodeLocation, tmp_path: Path) -> None:
    def data() -> dict[str, bytes | None]:
        # SQLite moves what is in its journal to the file whenever it is opened.
        return {path: content for path, content in tree(tmp_path).items() if "cache" not in path}

    before = data()

    dry = _forget(fewer, dry_run=True)

    assert dry.result.success
    assert data() == before
    # Kept answers too are all there still, to be listed again.
    assert dry.output_metadata["rows"] == _forget(fewer).output_metadata["rows"]


@pytest.mark.parametrize(
    ("player", "said"),
    [
        (PLAYER.upper(), "is in CHESS_PLAYERS"),
        ("", "is no chess.com user name"),
        ("x' or '1'='1", "is no chess.com user name"),
        ("../hikaru", "is no chess.com user name"),
    ],
)
def test_a_player_that_is_tracked_or_no_player_is_refused(
    landed: CodeLocation, tmp_path: Path, player: str, said: str
) -> None:
    before = tree(tmp_path)

    assert said in _forget(landed, player).error

    assert tree(tmp_path) == before


def test_without_a_word_of_it_a_run_is_dry_and_prints_the_command_that_is_not(
    fewer: CodeLocation, tmp_path: Path
) -> None:
    job = fewer.defs.resolve_job_def("chess_forget")

    run = fewer.run(job, config={"ops": {"chess_forget_rows": {"config": {"player": PLAYER}}}})

    assert _files_that_name(tmp_path)
    said = run.output_metadata["what_goes"]
    command = f"""run_job chess_forget --config '{{"player": "{PLAYER}", "dry_run": false}}'"""
    assert said.startswith("A dry run: nothing was removed. To remove these rows:\n")
    assert command in said
    assert f"| games {OTHER} | current load | {GAMES_PER_MONTH} |" in said
    assert f"games {OTHER}: {GAMES_PER_MONTH} in current load" in run.log("INFO")


def test_a_dry_run_for_a_player_that_is_tracked_says_what_to_do_before(
    landed: CodeLocation,
) -> None:
    run = _forget(landed, dry_run=True)

    assert run.result.success, run.error
    assert run.output_metadata["rows"]
    (told,) = run.log("WARNING")
    assert "is in CHESS_PLAYERS" in told


def test_the_launchpad_begins_with_a_dry_run_for_nobody(fewer: CodeLocation) -> None:
    run = fewer.run(fewer.defs.resolve_job_def("chess_forget"))

    assert "'' is no chess.com user name" in run.error


def test_rows_that_are_there_after_all_fail_the_run_and_are_named(
    landed: CodeLocation, fewer: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = Forgetting.forget

    def meanwhile(self: Forgetting) -> Iterator[object]:
        yield from forget(self)
        assert landed.materialize(MONTH, LANDING).result.success

    monkeypatch.setattr(Forgetting, "forget", meanwhile)

    run = _forget(fewer)

    assert not run.result.success
    assert f"- games {MONTH}: " in run.error
    assert f"'current load': {GAMES_PER_MONTH}" in run.error
    assert f"games {OTHER}" not in run.error


def test_months_that_were_landed_and_never_loaded_are_forgotten_too(tmp_path: Path) -> None:
    with code_location(tmp_path, CHESS_PLAYERS=f"hikaru,{PLAYER}") as location:
        assert location.materialize(MONTH, LANDING).result.success
    with code_location(tmp_path, CHESS_PLAYERS="hikaru") as location:
        run = _forget(location)

        assert run.result.success, run.error
        assert run.materialized(WAREHOUSE) == {}
        assert _files_that_name(tmp_path) == []


def test_nothing_landed_is_nothing_to_forget(tmp_path: Path) -> None:
    with code_location(tmp_path) as location:
        run = _forget(location, "nobody")

        assert run.result.success, run.error
        assert run.output_metadata["rows"] == {}
