"""The command that tells what a backfill would do: what it says, and that it touches nothing."""

import hashlib
import re
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from starlette.responses import JSONResponse, Response

from pipelines_project import __main__, definitions, plan_command
from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation, code_location

_GROUP = ["--select", 'key:"landing/chess/games" or key:"warehouse/chess/games"']


@pytest.fixture
def chess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeLocation]:
    """A code location that the command finds, with a history on disk and ETags."""
    history = tmp_path / "dagster"
    history.mkdir()
    with code_location(tmp_path / "data", None, True) as location:
        for name, value in {
            "DAGSTER_HOME": str(history),
            "LANDING_URL": location.landing.url,
            "CHESS_API_URL": location.api_url,
            "CHESS_PLAYERS": "hikaru,erik",
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": "2021-01",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(definitions, "defs", lambda: location.defs)
        with dg.DagsterInstance.get() as instance:
            yield replace(location, instance=instance)


def _planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert plan_command.main([*_GROUP, *arguments]) == 0
    return capsys.readouterr().out


def _lines(printed: str) -> dict[str, str]:
    """Return the months that are told of each state."""
    found = (line.strip().rpartition("  ") for line in printed.splitlines() if "   " in line)
    return {what.rstrip(" 0123456789"): months for what, _, months in found}


@pytest.mark.stack
def test_the_plan_tells_each_month_by_what_a_backfill_would_find(
    chess: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    chess.materialize("2024-01...2024-02")
    chess.materialize("2024-03", LANDING)
    chess.faults.answer_always("hikaru/games/2024/04", Response(status_code=404))
    chess.materialize("2024-04", LANDING)
    chess.faults.answer_always("erik/games/2024/02", JSONResponse({"games": []}))

    printed = _planned(capsys, "--months", "2020-12...2024-05")

    states = _lines(printed)
    assert states["failed"] == "2024-04"
    assert states["missing"] == "2021-01...2023-12, 2024-05"
    assert states["changed at the source"] == "2024-02"
    assert states["unchanged at the source"] == "2024-01, 2024-03"
    assert states["nothing to land"] == "2020-12"
    assert states["landed, not loaded"] == "2024-03"
    assert "lists 2024-04 of 'hikaru' but answers 404" in printed
    assert re.search(
        r"To land 39 months: about \d+ requests, \d+ (s|min) and \d+ [kM]B, as 3 ", printed
    )
    month = chess.landing.month("chess", "games", "2024-02")
    assert (
        f"Deleted once they are landed: {len(month.fs.ls(month.path, detail=False))} files, "
        in printed
    )
    assert f"""--select 'key:"{LANDING}"+' --partition-range 2021-01...2023-12""" in printed
    assert f"""--select 'key:"{LANDING}"+' --partition 2024-02\n""" in printed
    assert f"""--select 'key:"{WAREHOUSE}"+' --partition 2024-03\n""" in printed


def _hashes(*folders: Path) -> dict[str, str]:
    """Return the digest of each file, and of what the history's SQLite files hold."""
    found: dict[str, str] = {}
    for file in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if file.name.endswith(("-wal", "-shm")):
            continue
        content = file.read_bytes()
        if file.suffix == ".db":
            with sqlite3.connect(file) as database:
                content = "\n".join(database.iterdump()).encode()
        found[str(file)] = hashlib.sha256(content).hexdigest()
    return found


@pytest.mark.stack
def test_nothing_is_touched_and_no_lock_is_taken(
    chess: CodeLocation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chess.materialize("2024-01...2024-02")
    chess.faults.answer_always("erik/games/2024/02", JSONResponse({"games": []}))
    before = _hashes(tmp_path / "data", tmp_path / "dagster")
    assert any(name.endswith("warehouse.duckdb") for name in before)

    with chess.warehouse.connect():
        # Whoever has it open keeps everyone else out.
        _planned(capsys, "--months", "2024-01...2024-03")

    assert _hashes(tmp_path / "data", tmp_path / "dagster") == before


@pytest.mark.stack
def test_offline_the_source_is_not_asked(
    chess: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    chess.materialize("2024-01", LANDING)
    chess.faults.requests.clear()

    printed = _planned(capsys, "--months", "2024-01", "--offline")

    assert chess.faults.requests == []
    assert _lines(printed)["landed, not known to have changed"] == "2024-01"
    assert "the sources were asked 0 requests" in printed


@pytest.mark.stack
def test_a_source_that_is_down_is_asked_once_and_the_plan_says_so(
    chess: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    chess.materialize("2024-01...2024-03", LANDING)
    chess.faults.requests.clear()
    chess.faults.answer_always("games/archives", Response(status_code=403))

    printed = _planned(capsys, "--months", "2024-01...2024-03")

    assert (
        "The source could not be asked what has changed: SourceError: chess.com refused" in printed
    )
    assert len(chess.faults.requests) == 1
    assert _lines(printed)["landed, not known to have changed"] == "2024-01...2024-03"


@pytest.mark.stack
def test_what_makes_no_sense_is_refused(
    chess: CodeLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {
        "--select group:chess --months 2024-13": "'2024-13' is not a month",
        "--select group:chess --months 2024-02...2024-01": "2024-02 is later than 2024-01",
        "--select group:chess": "--months",
        "--select group:nobody --months 2024-01": "selects no asset; the groups are chess, ",
        "--select 'landing/a/b or warehouse/a/b' --months 2024-01": "in double quotes, such as",
        "--select report --months 2024-01": "'report' selects no table",
    }
    for arguments, reason in refused.items():
        with pytest.raises(SystemExit) as ended:
            plan_command.main(shlex.split(arguments))

        assert reason in f"{ended.value.code} {capsys.readouterr().err}"


def test_the_command_of_the_documents_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[1] / "docs" / "backfill.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^python -m (pipelines_project plan .*)$", text, re.M)
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)

    # All that is wrong with it is that no history is named.
    with pytest.raises(SystemExit):
        __main__.main()

    assert "export DAGSTER_HOME=$PWD/data/dagster" in capsys.readouterr().err
