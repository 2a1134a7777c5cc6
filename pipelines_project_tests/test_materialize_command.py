"""The command that materializes months now: what it prints, its exit codes, and what it refuses."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines_project import definitions, materialize_command
from pipelines_project_tests.code_location import LANDING, MARTS, CodeLocation

PROJECT = Path(__file__).parents[1]
_SELECTED = f'key:"{LANDING}"+'


@pytest.fixture
def settings(chess: CodeLocation, tmp_path: Path) -> Mapping[str, str]:
    history = tmp_path / "dagster"
    history.mkdir()
    shutil.copy(PROJECT / "data" / "dagster" / "dagster.yaml", history)
    return {
        "PATH": "",
        "PYTHONPATH": str(PROJECT),
        "DAGSTER_HOME": str(history),
        "LANDING_URL": chess.landing.url,
        "WAREHOUSE_URL": chess.warehouse.url,
        "CHESS_API_URL": chess.api_url,
        "CHESS_PLAYERS": "hikaru,erik",
        "CHESS_CONTACT": "tests@example.com",
        "CHESS_START_MONTH": "2021-01",
    }


def _run(
    settings: Mapping[str, str], folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pipelines_project", "materialize", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**settings}, capture_output=True, text=True, check=False
    )


@pytest.mark.stack
def test_months_are_made_with_a_line_each_and_a_closing_table(
    settings: Mapping[str, str], tmp_path: Path
) -> None:
    done = _run(settings, tmp_path, "--select", _SELECTED, "--months", "2024-01...2024-02")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{LANDING} 2024-01: 40 rows landed as load ")
    assert [line.split()[:5] for line in lines if line.startswith(f"{LANDING}  ")] == [
        [LANDING, "2", "0", "0", "80"]
    ]
    assert lines[-1].endswith(": succeeded")
    assert "Warning" not in done.stderr


@pytest.mark.stack
def test_a_mart_alone_is_built_although_it_has_no_months(
    chess: CodeLocation, settings: Mapping[str, str], tmp_path: Path
) -> None:
    assert chess.materialize("2024-01").result.success

    done = _run(settings, tmp_path, "--select", f'key:"{MARTS[0]}"', "--months", "2024-01")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{MARTS[0]} ")
    assert " rows built in " in done.stdout


@pytest.mark.stack
def test_a_failed_run_exits_with_1_and_says_why_and_what_to_do(
    settings: Mapping[str, str], tmp_path: Path
) -> None:
    done = _run(settings, tmp_path, "--select", f'key:"{MARTS[0]}"')

    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert ": failed\n" in done.stdout
    assert "warehouse/chess/games" in done.stdout or "chess.games" in done.stdout
    assert "  dagster asset materialize -m pipelines_project.definitions" in done.stdout


def test_what_makes_no_sense_is_refused_with_2_before_a_run_is_made(
    chess: CodeLocation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(definitions, "defs", lambda: chess.defs)
    refused = {
        "--select group:chess": "name months, such as 2024-01",
        "--select group:chess --months 2020-12": "2020-12 is no month of theirs",
        "--select group:chess --months 2024-13": "'2024-13' is not a month",
        "--select group:nobody --months 2024-01": "selects no asset; the groups are chess, ",
        "--select 'a/b or c/d' --months 2024-01": "Write group:chess, or names in double quotes",
    }
    for arguments, reason in refused.items():
        with pytest.raises(SystemExit) as ended:
            materialize_command.main(shlex.split(arguments))

        assert ended.value.code == 2
        assert reason in capsys.readouterr().err
    assert not [*tmp_path.rglob("runs.db")]
