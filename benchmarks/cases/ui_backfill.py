"""A backfill as the UI launches it, through the daemon's queue, beside the command line."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests

from benchmarks.case import SECONDS, Case, Contender, Figures, Target
from benchmarks.cases.chess import KEYS, ChessMonths, backfill, chess_months
from benchmarks.commands import ROOT, inherited

RUN_SECONDS = "run_seconds"
_GAMES = 20
_SECONDS_TO_WAIT = 300

LAUNCH = """
mutation launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill {
      status
      runs { stats { ... on RunStatsSnapshot { launchTime endTime } } }
    }
  }
}
"""

Answer = TypeVar("Answer")


def launch_params(months: list[str]) -> dict[str, Any]:
    """Return what the UI sends when months of both assets are launched."""
    keys = [{"path": key.split("/")} for key in KEYS]
    return {"params": {"assetSelection": keys, "partitionNames": months}}


def _from_the_ui(served: ChessMonths, place: Path) -> Figures:
    home = place / "home"
    home.mkdir()
    shutil.copy(ROOT / "data" / "dagster" / "dagster.yaml", home)
    settings = {**served.settings(place / "ui"), "DAGSTER_HOME": str(home)}
    with _dagster_dev(settings) as url:
        started = time.perf_counter()
        launched = _asked(url, LAUNCH, launch_params(served.months))["launchPartitionBackfill"]
        if "backfillId" not in launched:
            raise RuntimeError(f"the backfill was not launched: {launched}")
        runs = _until(lambda: _runs_when_done(url, launched["backfillId"]))
        seconds = time.perf_counter() - started
    launched_at = min(run["stats"]["launchTime"] for run in runs)
    return {
        SECONDS: seconds,
        RUN_SECONDS: max(run["stats"]["endTime"] for run in runs) - launched_at,
    }


def _from_the_command_line(served: ChessMonths, place: Path) -> Figures:
    return backfill(served, place / "command_line")


def _runs_when_done(url: str, backfill_id: str) -> list[dict[str, Any]] | None:
    found = _asked(url, STATUS, {"id": backfill_id})["partitionBackfillOrError"]
    if found["status"] in ("FAILED", "COMPLETED_FAILED", "CANCELED"):
        raise RuntimeError(f"the backfill ended as {found['status']}")
    return found["runs"] if found["status"] == "COMPLETED_SUCCESS" else None


@contextmanager
def _dagster_dev(settings: Mapping[str, str]) -> Iterator[str]:
    """Start UI and daemon, and give the UI's address when it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", port]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=ROOT, env={**inherited(), **settings}, stdout=quiet, stderr=quiet
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _until(lambda: _answers(url))
            yield url
        finally:
            process.send_signal(signal.SIGINT)


def _answers(url: str) -> bool:
    try:
        return _asked(url, "{ version }", {}) != {}
    except requests.ConnectionError:
        return False


def _asked(url: str, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    answer = requests.post(
        f"{url}/graphql", json={"query": query, "variables": variables}, timeout=60
    )
    answer.raise_for_status()
    said = answer.json()
    if "errors" in said:
        raise RuntimeError(str(said["errors"]))
    return said["data"]


def _until(true: Callable[[], Answer | None]) -> Answer:
    give_up = time.monotonic() + _SECONDS_TO_WAIT
    while time.monotonic() < give_up:
        if answer := true():
            return answer
        time.sleep(0.25)
    raise RuntimeError(f"nothing came of it in {_SECONDS_TO_WAIT} s")


_UI, _LINE = ("ui", 24), ("command line", 24)

UI_BACKFILL = Case(
    name="ui_backfill",
    what=f"Months of {_GAMES} games, from the launch in the UI to the backfill's success, and the "
    "same months from the command line. `run_seconds` are those of the UI's run alone.",
    unit="months",
    sizes={24: 2},
    prepared=lambda size, _: chess_months(size, _GAMES),
    contenders={"ui": Contender(_from_the_ui), "command line": Contender(_from_the_command_line)},
    targets=(
        Target("24 months: seconds from launch to success", 75, lambda took: took[_UI][SECONDS]),
        Target(
            "24 months: the run over the command line",
            1.3,
            lambda took: took[_UI][RUN_SECONDS] / took[_LINE][SECONDS],
        ),
    ),
)
