"""The processes of the soak: forked runs, and now and then one of Dagster's command line."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines_project_tests.faults.dev_instance import session_of
from pipelines_project_tests.faults.forked_runs import Ended, ForkedRuns, forked_runs
from pipelines_project_tests.faults.live_data import Month
from pipelines_project_tests.faults.soak.plan import Step, Work
from pipelines_project_tests.faults.soak.served import MONTHS
from pipelines_project_tests.faults.soak.services import TABLES
from pipelines_project_tests.faults.works import materialize, tidy

_ROOT = Path(__file__).parents[3]


_LAYERS = {Work.LAND: ["landing"], Work.LOAD: ["warehouse"]}


def keys(source: str, work: Work = Work.LAND_AND_LOAD) -> list[str]:
    """Return the assets of a source that a work materializes."""
    layers = _LAYERS.get(work, ["landing", "warehouse"])
    return [f"{layer}/{source}/{TABLES[source]}" for layer in layers]


def materialize_everything(defs: dg.Definitions, data: str) -> None:
    """Land and load every month of every source, all of them well."""
    for source in TABLES:
        outcome = materialize(defs, data, f"{MONTHS[0]}...{MONTHS[-1]}", keys(source))
        assert outcome.success, outcome.error
        assert {*outcome.failed_checks} <= {"current_month_is_fresh"}, outcome.failed_checks


@dataclass
class Processes:
    """The processes that go on.

    Attributes:
        runs: what is forked.
        folder: where the data is.
        settings: the environment variables of a command line.
    """

    runs: ForkedRuns
    folder: Path
    settings: Mapping[str, str]
    _forked: dict[int, tuple[Step, Path]] = field(default_factory=dict)
    _commands: dict[int, tuple[Step, Any, Path]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._forked) + len(self._commands)

    def start(self, step: Step) -> None:
        """Begin a step."""
        if step.work is Work.COMMAND_LINE:
            self._start_command(step)
            return
        if step.work is Work.TIDY:
            month = Month(step.source, TABLES[step.source], step.months)
            # It ends after one run, because the file that ends it is there.
            work, args = tidy, (month, self.folder)
        else:
            work, args = materialize, (step.months, keys(step.source, step.work))
        data = str(self.folder / "data")
        pid, report = self.runs.start(work, data, *args, sabotage=step.sabotage)
        self._forked[pid] = (step, report)

    def _start_command(self, step: Step) -> None:
        selection = " or ".join(f'key:"{key}"' for key in keys(step.source, step.work))
        option = "--partition-range" if "..." in step.months else "--partition"
        command = ["-m", "pipelines_project.definitions", "--select", selection]
        command += [option, step.months]
        log = self.folder / f"command-{id(step)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "dagster", "asset", "materialize", *command],
                cwd=_ROOT,
                env={**os.environ, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._commands[process.pid] = (step, process, log)

    def ended(self) -> Iterator[tuple[Step, Ended]]:
        """Yield the steps that have ended since, and how."""
        for pid in [pid for pid in self._forked if session_of(pid) is None]:
            step, report = self._forked.pop(pid)
            yield step, self.runs.end((pid, report))
        for pid, (step, process, log) in [*self._commands.items()]:
            if process.poll() is not None:
                del self._commands[pid]
                yield step, Ended(process.returncode, log=log.read_text(errors="replace"))
                log.unlink()

    def kill(self) -> None:
        """Kill what goes on, and wait until it has ended."""
        for pid in [*self._forked, *self._commands]:
            os.kill(pid, signal.SIGKILL)
        while self:
            list(self.ended())


@contextmanager
def processes(folder: Path, settings: Mapping[str, str]) -> Iterator[Processes]:
    """Give the processes of a soak in an empty folder; everything is landed and loaded once."""
    environment = {
        "LANDING_URL": f"{folder}/data/landing",
        "WAREHOUSE_URL": f"{folder}/data/warehouse.duckdb",
        "PUBLISHED_URL": f"{folder}/data/published",
        "RATE_LIMITS_URL": f"sqlite:///{folder}/rate_limits.sqlite",
        "RUNTIME__REQUEST_MAX_ATTEMPTS": "2",
        "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01",
        **settings,
    }
    home = folder / "home"
    home.mkdir()
    shutil.copy(_ROOT / "data" / "dagster" / "dagster.yaml", home)
    of_commands = {"TMPDIR": f"{folder}/data/tmp", "DAGSTER_HOME": str(home)}
    data = str(folder / "data")
    with forked_runs(folder, environment, materialize_everything, data) as runs:
        ours = Processes(runs, folder, {**environment, **of_commands})
        try:
            yield ours
        finally:
            ours.kill()
