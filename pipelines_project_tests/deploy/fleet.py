"""The services of the compose file as processes of this machine, which can be killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
import yaml

from pipelines_project_tests.deploy.compose_file import ROOT, services
from pipelines_project_tests.deploy.processor_time import processor_seconds
from pipelines_project_tests.deploy.webserver import Webserver

# Of `deploy/dagster.yaml`: what would make a test wait.
_IMPATIENT = {"poll_interval_seconds": 1, "start_timeout_seconds": 30}


def until(true: Callable[[], object], seconds: float = 180, pause: float = 0.1) -> None:
    """Wait until something is true, and ask every so often."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it did not become true in time"
        time.sleep(pause)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run an empty Redis, and give its URL; skip the test where there is none."""
    if not shutil.which("redis-server"):
        pytest.skip("it needs redis-server (Debian: apt-get install redis-server)")
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet) as server:
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


class Fleet:
    """The processes of the services, each a session of its own.

    Attributes:
        home: their DAGSTER_HOME.
        webserver: the one among them.
    """

    def __init__(self, home: Path, workers: int) -> None:
        """Prepare the folder that takes the place of the image's DAGSTER_HOME."""
        self.home = home
        self._ports = {"4000": str(_free_port()), "3000": str(_free_port())}
        self.webserver = Webserver(f"http://127.0.0.1:{self._ports['3000']}")
        said = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
        said["run_monitoring"] |= _IMPATIENT
        said["concurrency"]["runs"]["max_concurrent_runs"] = workers
        (home / "dagster.yaml").write_text(yaml.safe_dump(said))
        workspace = (ROOT / "deploy" / "workspace.yaml").read_text()
        (home / "workspace.yaml").write_text(workspace.replace("4000", self._ports["4000"]))
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {
            **os.environ,
            "DAGSTER_HOME": str(home),
            "DAGSTER_CODE_HOST": "127.0.0.1",
            "PATH": programs,
            # What Dagster calls of itself, and Celery of who runs it.
            "PYTHONWARNINGS": "ignore",
        }
        self._processes: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self._killed: defaultdict[str, float] = defaultdict(float)
        self._numbers = count()

    def start(self, service: str) -> subprocess.Popen[bytes]:
        """Start a service with the command of the compose file."""
        command = [self._here(word) for word in services()[service]["command"]]
        if service == "worker":
            # Containers have host names of their own.
            command += ["--hostname", f"worker{next(self._numbers)}@%h"]
        with (self.home / f"{service}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[process.pid] = service, process
        return process

    def _here(self, word: str) -> str:
        return self._ports.get(word, word.replace("/app/home", str(self.home)))

    def has(self, session: int) -> bool:
        """Tell whether a session is that of a service which was not killed."""
        return session in self._processes

    def kill(self, session: int) -> None:
        """Kill a service and the processes that it has started, as when its machine dies."""
        service, process = self._processes.pop(session)
        self._killed[service] += processor_seconds(session)
        with suppress(ProcessLookupError):
            os.killpg(session, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """Kill what there is."""
        for session in [*self._processes]:
            self.kill(session)

    def processor_seconds(self) -> dict[str, float]:
        """Return what each service has taken of the processors, its killed processes too."""
        seconds = self._killed.copy()
        for session, (service, _) in self._processes.items():
            seconds[service] += processor_seconds(session)
        return seconds

    def has_code(self) -> bool:
        """Tell whether the code server listens, which the others wait for."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self._ports["4000"]))) == 0

    def log(self, service: str) -> str:
        """Return what the service has written last."""
        return (self.home / f"{service}.log").read_text(errors="replace")[-5_000:]


@contextmanager
def fleet(home: Path, workers: int) -> Iterator[Fleet]:
    """Give a fleet that runs, with so many workers, and leave no process behind.

    Its settings are the environment variables of the test.
    """
    home.mkdir()
    made = Fleet(home, workers)
    try:
        assert made.start("prepare").wait() == 0, made.log("prepare")
        made.start("code")
        until(made.has_code)
        for service in ("webserver", "daemon", *(["worker"] * workers)):
            made.start(service)
        until(lambda: made.webserver.ask("query { version }"))
        yield made
    finally:
        made.close()
