"""The commands that errors print, run as they stand: months are loaded, and marts follow."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    Run,
)
from pipelines_project_tests.landings import ids_ago, write_load

pytestmark = pytest.mark.stack

PROJECT = Path(__file__).parents[2]


def _printed(run: Run) -> list[str]:
    """Return the commands at the end of a run's error."""
    lines = run.error.splitlines()
    return [line.strip() for line in lines if line.startswith("  dagster asset materialize")]


def _run(location: CodeLocation, command: str) -> None:
    """Run a printed command in a shell's stead, with the settings of the code location."""
    settings = {
        "LANDING_URL": location.landing.url,
        "WAREHOUSE_URL": location.warehouse.url,
        "CHESS_API_URL": location.api_url,
        "CHESS_PLAYERS": "hikaru,erik",
        "CHESS_CONTACT": "tests@example.com",
        "CHESS_START_MONTH": "2021-01",
    }
    program = str(Path(sys.executable).with_name("dagster"))
    arguments = [program, *shlex.split(command)[1:]]
    environment = {**os.environ, **settings, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        arguments, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _games(location: CodeLocation) -> tuple[int, int]:
    """Return how many games the warehouse has, and how many the mart of players counts."""
    (loaded,) = location.warehouse.rows("select count(*) from chess.games")
    (counted,) = location.warehouse.rows("select sum(games) from chess_marts.player_months")
    return loaded[0], counted[0]


@pytest.mark.long
def test_the_good_months_of_a_landing_are_loaded_and_modelled(chess: CodeLocation) -> None:
    assert chess.materialize("2024-01", LANDING, WAREHOUSE, *MARTS).result.success
    chess.faults.answer_always("hikaru/games/2024/03", Response(status_code=404))
    again, load = _printed(chess.materialize("2024-02...2024-03", LANDING))

    _run(chess, load)

    assert _games(chess) == (4 * GAMES_PER_MONTH, 4 * GAMES_PER_MONTH)
    chess.faults.clear()
    _run(chess, again)

    assert _games(chess) == (6 * GAMES_PER_MONTH, 6 * GAMES_PER_MONTH)


def test_a_month_that_may_shrink_is_landed_by_what_the_error_prints(chess: CodeLocation) -> None:
    assert chess.materialize("2024-01", LANDING, WAREHOUSE, *MARTS).result.success
    chess.faults.answer_always("hikaru/games/2024/01", JSONResponse({"games": []}))
    _, allowing = _printed(chess.materialize("2024-01", LANDING))

    _run(chess, allowing)

    assert _games(chess) == (GAMES_PER_MONTH, GAMES_PER_MONTH)


@pytest.mark.long
def test_a_month_with_a_key_twice_is_landed_again_loaded_and_modelled(chess: CodeLocation) -> None:
    place = chess.landing.month("chess", "games", "2024-01")
    write_load(place, ids_ago(30)[0], [[{"player": "erik", "url": "twice"}] * 2])
    (command,) = _printed(chess.materialize("2024-01", WAREHOUSE))

    _run(chess, command)

    assert _games(chess) == (2 * GAMES_PER_MONTH, 2 * GAMES_PER_MONTH)
