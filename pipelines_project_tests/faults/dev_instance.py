"""A Dagster of one's own, started as `make dev` does, which can be killed and started again."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import requests

_ROOT = Path(__file__).parents[2]
_LAUNCH = """
mutation LaunchBackfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}
"""
_EXPORTED = re.compile(r"^dev: export (\w+) := (\S+)$", re.MULTILINE)
_PROCESS = re.compile(r"Started process for run \(pid: (\d+)\)")


def until(true: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something is true.

    Raises:
        AssertionError: it is not within the seconds.
    """
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, true
        time.sleep(0.1)


class DevInstance:
    """`dagster dev` with the project's `dagster.yaml`; each start is a session of processes."""

    def __init__(self, home: Path, settings: Mapping[str, str], location: Sequence[str]) -> None:
        """Prepare an empty instance.

        Args:
            home: its DAGSTER_HOME; what the processes write lies there too, as `dev.log`.
            settings: more environment variables.
            location: the options of `dagster dev` that name the code location.
        """
        home.mkdir()
        shutil.copy(_ROOT / "data" / "dagster" / "dagster.yaml", home)
        self.storage = dg.DagsterInstance.from_config(str(home))
        self._log = home / "dev.log"
        exported = dict(_EXPORTED.findall((_ROOT / "Makefile").read_text()))
        self._environment = {**os.environ, **settings, **exported, "DAGSTER_HOME": str(home)}
        self._location = location
        self._started: list[subprocess.Popen[bytes]] = []
        self._url = ""

    def limit_runtime(self, seconds: int) -> None:
        """Let no run of the next start take longer."""
        settings = self._log.with_name("dagster.yaml")
        limited = re.sub(r"max_runtime_seconds: \d+", _limit(seconds), settings.read_text())
        assert _limit(seconds) in limited
        settings.write_text(limited)

    def start(self) -> None:
        """Start everything, and wait until the UI answers."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "-p", str(port)]
        with self._log.open("ab") as log:
            dev = subprocess.Popen(
                [*command, *self._location],
                cwd=_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(dev)
        self._url = f"http://127.0.0.1:{port}"
        until(self._answers)

    def _answers(self) -> bool:
        assert self._started[-1].poll() is None, self.log()
        with suppress(requests.ConnectionError):
            return requests.get(f"{self._url}/server_info", timeout=10).ok
        return False

    def log(self) -> str:
        """Return the end of what the processes have written."""
        return self._log.read_text(errors="replace")[-20_000:]

    def processes(self) -> list[int]:
        """Return the ids of all processes that live on of those that were started here."""
        sessions = {dev.pid for dev in self._started}
        return [pid for pid in _all_processes() if session_of(pid) in sessions]

    def kill(self, pids: Iterable[int]) -> None:
        """Kill processes of this instance, and wait until they are gone."""
        killed = {*pids} & {*self.processes()}
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not killed & {*self.processes()})

    def daemon(self) -> int:
        """Return the id of the daemon's process."""
        [pid] = [pid for pid in self.processes() if b"dagster._daemon" in _command(pid)]
        return pid

    def worker(self, run_id: str) -> int:
        """Return the id of the process that executes the run."""
        logs = self.storage.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        [pid] = [found[1] for log in logs if (found := _PROCESS.match(log.message))]
        return int(pid)

    def launch_backfill(self, keys: Sequence[str], months: Sequence[str]) -> str:
        """Launch a backfill as the UI does, and return its id."""
        selection = [{"path": key.split("/")} for key in keys]
        params = {"assetSelection": selection, "partitionNames": [*months]}
        answer = self._ask(_LAUNCH, {"params": params})["launchPartitionBackfill"]
        assert "backfillId" in answer, answer
        return answer["backfillId"]

    def backfill_status(self, backfill_id: str) -> str:
        """Return what the UI says of the backfill."""
        return self._ask(_STATUS, {"id": backfill_id})["partitionBackfillOrError"]["status"]

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer = requests.post(f"{self._url}/graphql", json=body, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]


@contextmanager
def dev_instance(
    home: Path, settings: Mapping[str, str], location: Sequence[str]
) -> Iterator[DevInstance]:
    """Give an instance that is not started yet, and leave no process of it behind."""
    instance = DevInstance(home, settings, location)
    try:
        with instance.storage:
            yield instance
    finally:
        # Again, because one may just have been starting another.
        until(lambda: not (instance.kill(instance.processes()) or instance.processes()))
        for dev in instance._started:
            dev.wait()


def _limit(seconds: int) -> str:
    return f"max_runtime_seconds: {seconds}"


def _all_processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def session_of(pid: int) -> int | None:
    """Return the session of a process, or None if it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        # After the name, which may hold anything: state, parent, group, session.
        state, _, _, session = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
        return None if state in "ZX" else int(session)
    return None
