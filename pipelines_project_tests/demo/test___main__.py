"""The demo is run for real, as `make demo` runs it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import requests

from pipelines_project.demo.__main__ import main

pytestmark = pytest.mark.stack

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An instance and places of its own, beside settings for real data that must not count."""
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(_ROOT / "data" / "dagster" / "dagster.yaml", home)
    return {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "LANDING_URL": str(tmp_path / "landing"),
        "WAREHOUSE_URL": str(tmp_path / "warehouse.duckdb"),
        "CHESS_PLAYERS": "hikaru",
        "CHESS_START_MONTH": "2031-01",
    }


def _start(
    environment: Mapping[str, str], *sources: str, folder: Path = _ROOT
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipelines_project.demo", *sources]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def _run(
    environment: Mapping[str, str], *sources: str, folder: Path = _ROOT
) -> tuple[int, str, str]:
    """Run the demo to its end; return its exit code, its output and its errors."""
    with _start(environment, *sources, folder=folder) as demo:
        output, errors = demo.communicate()
    assert _left_behind(environment) == []
    return demo.returncode, output, errors


def _left_behind(environment: Mapping[str, str]) -> list[str]:
    """Return the processes with this environment, where the system tells of them (Linux does)."""
    setting = f"LANDING_URL={environment['LANDING_URL']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        # A process may end meanwhile, or be another user's.
        with suppress(OSError):
            if setting in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


def _figures(output: str) -> dict[str, tuple[int, int]]:
    """Return months and rows of each table, as they were printed."""
    found = re.findall(r"^(\w+) +(\d+) +([\d,]+)$", output, re.MULTILINE)
    return {table: (int(months), int(rows.replace(",", ""))) for table, months, rows in found}


def _stored(environment: Mapping[str, str], source: str) -> dict[str, tuple[int, int]]:
    """Return months and rows of each table of a source, as they are landed and loaded."""
    stored = {}
    with duckdb.connect(environment["WAREHOUSE_URL"], read_only=True) as connection:
        for folder in Path(environment["LANDING_URL"], source).iterdir():
            files = [str(file) for file in folder.glob("*/*.parquet")]
            landed = connection.read_parquet(files, union_by_name=True, hive_partitioning=True)
            counted = landed.aggregate("count(distinct month), count(*)").fetchall()
            loaded = connection.execute(
                f"select count(distinct month), count(*) from {source}.{folder.name}"
            ).fetchall()
            assert counted[0][1] == loaded[0][1]
            months = len([*folder.glob("month=*/_*.json")])
            stored[folder.name] = (months, loaded[0][1])
    return stored


def test_the_demo_shows_what_it_wrote_and_can_be_run_again(environment: dict[str, str]) -> None:
    landing = Path(environment["LANDING_URL"])
    code, output, errors = _run(environment)
    files = {file.name for file in landing.rglob("*.parquet")}

    assert (code, errors) == (0, "")
    shown = _figures(output)
    sources = ("chess", "freshdesk", "local_jsonl")
    assert shown == {k: v for each in sources for k, v in _stored(environment, each).items()}
    assert len(shown) == 1 + 6 + 1
    assert shown["games"] == (3, 240)
    assert shown["synthetic_data"] == (3, 300)
    assert len(re.findall(r"^demo-(?:anna|boris) ", output, re.MULTILINE)) == 5
    assert "http://127.0.0.1:3000 has these runs in its timeline" in output
    [url] = re.findall(r"answers at (http://127\S+:\d+)", output)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)

    code, output, errors = _run(environment, "local_jsonl")

    assert (code, errors) == (0, "")
    assert _figures(output) == _stored(environment, "local_jsonl") == {"synthetic_data": (3, 300)}
    assert files.isdisjoint(file.name for file in (landing / "local_jsonl").rglob("*.parquet"))


def test_a_file_of_settings_says_where_data_goes_and_not_which_service_is_asked(
    environment: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    settings = {"LANDING_URL": elsewhere, "CHESS_PLAYERS": "hikaru", "CHESS_API_URL": "http://x.y"}
    lines = [f"{name}={value}" for name, value in settings.items()]
    (tmp_path / ".env").write_text("\n".join(lines))

    code, output, errors = _run(environment, "chess", folder=tmp_path)

    assert (code, errors) == (0, "")
    assert f"Files:      {elsewhere}" in output
    written = {**environment, "LANDING_URL": elsewhere}
    assert _figures(output) == _stored(written, "chess") == {"games": (3, 240)}
    assert not Path(environment["LANDING_URL"]).exists()
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        # What the UI asks its timeline and the pages of jobs by.
        own = {".dagster/repository": "__repository__@pipelines_project.definitions"}
        assert len(instance.get_run_records(dg.RunsFilter(tags=own))) == 1


def test_real_data_is_not_replaced(environment: dict[str, str]) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    with duckdb.connect(environment["WAREHOUSE_URL"]) as connection:
        connection.execute("create schema chess")
        games = f"values ('{month}', 'hikaru')"
        connection.execute(f"create table chess.games as from ({games}) as games (month, player)")

    code, output, errors = _run(environment)

    assert code == 1
    assert f"holds data of {month} that is not the demo's" in errors
    assert "landing, loading" not in output
    assert not Path(environment["LANDING_URL"]).exists()


def test_a_run_that_fails_is_told_with_its_reason(environment: dict[str, str]) -> None:
    with duckdb.connect(environment["WAREHOUSE_URL"]) as connection:
        connection.execute("create schema chess")
        connection.execute("create table games (month varchar, player varchar)")
        connection.execute("create view chess.games as from main.games")

    code, _, errors = _run(environment)

    assert code == 1
    assert "3 of 3 months of warehouse/chess/games failed" in errors
    assert '"chess"."games" is a view' in errors


def test_ctrl_c_ends_the_run_that_was_started(environment: dict[str, str]) -> None:
    with _start(environment) as demo:
        assert demo.stdout is not None
        while "landing, loading" not in demo.stdout.readline():
            assert demo.poll() is None
        deadline = time.monotonic() + 30
        while len(_left_behind(environment)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate()

    assert (demo.returncode, errors) == (128 + signal.SIGINT, "stopping …\n")
    assert _left_behind(environment) == []


@pytest.mark.parametrize("home", ["", "data/dagster", "/no/such/folder"])
def test_without_an_instance_the_demo_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", home)

    with pytest.raises(SystemExit, match=f"DAGSTER_HOME must be .* and is {home!r}"):
        main([])
