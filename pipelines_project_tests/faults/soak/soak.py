"""The soak itself: starts the steps of a plan beside readers, and judges what comes of them."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines_project_tests.faults.forked_runs import Ended
from pipelines_project_tests.faults.live_data import Month
from pipelines_project_tests.faults.operations import Harm
from pipelines_project_tests.faults.soak.plan import Step, Work, plan
from pipelines_project_tests.faults.soak.processes import (
    Processes,
    materialize_everything,
    processes,
)
from pipelines_project_tests.faults.soak.reads import readers
from pipelines_project_tests.faults.soak.reconciliation import Reconciliation
from pipelines_project_tests.faults.soak.services import TABLES, Services, services
from pipelines_project_tests.faults.soak.watch import Watch
from pipelines_project_tests.faults.works import Outcome

_AT_ONCE = 3
_ENDS = {
    Harm.KILLED: "killed",
    Harm.KILLED_LATER: "killed",
    Harm.CANCELLED: "cancelled",
    Harm.FAILS: "failed",
}
_FIGURES = (
    "runs",
    "command lines",
    *dict.fromkeys(_ENDS.values()),
    "failing operations",
    "refused",
)


@dataclass
class Soak:
    """A soak that goes on.

    Attributes:
        services: what is served.
        processes: what runs.
        readers: how often each of the readers has read.
        found: where readers put the differences they find.
        reconciliation: what is compared with what was served.
        watch: what the long-lived processes hold.
    """

    services: Services
    processes: Processes
    readers: list[Any]
    found: Any
    reconciliation: Reconciliation
    watch: Watch
    figures: Counter[str] = field(default_factory=Counter)

    def go_on(self, seed: int, until: float) -> None:
        """Start the steps of the plan, a few at once, until the time; then wait for the last."""
        steps, minutes, started = plan(seed), 0, time.monotonic()
        while time.monotonic() < until or self.processes:
            if time.monotonic() < until and len(self.processes) < _AT_ONCE:
                step = next(steps)
                for part in step.changes:
                    self.services.advance(part)
                self.processes.start(step)
            for step, ended in self.processes.ended():
                self._judge(step, ended)
            self._hear_readers()
            if time.monotonic() > started + 60 * (minutes + 1):
                minutes += 1
                self._look(minutes)
            time.sleep(0.02)

    def _hear_readers(self) -> None:
        while not self.found.empty():
            self.reconciliation.differs(self.found.get())

    def _look(self, minutes: int) -> None:
        self.reconciliation.look()
        self.watch.look()
        # They would otherwise be all that this process holds in the end.
        self.services.faults.requests.clear()
        figures = ", ".join(f"{self.figures[name]} {name}" for name in _FIGURES)
        reads = sum(reader.value for reader in self.readers)
        temporary = self.watch.files["tmp"][-1]
        print(f"{minutes} min: {figures}, {reads} reads, {temporary} temporary files", flush=True)

    def _judge(self, step: Step, ended: Ended) -> None:
        """Count a step that has ended, which must be well unless it was kept from it."""
        self.figures["runs"] += 1
        self.figures["command lines"] += step.work is Work.COMMAND_LINE
        error = _error(ended)
        if isinstance(ended.answer, Outcome) and step.work in (Work.LAND_AND_LOAD, Work.LAND):
            for month, load_id in ended.answer.loads.items():
                place = Month(step.source, TABLES[step.source], month)
                self.reconciliation.landed(place, load_id)
        sabotage = step.sabotage
        is_failing = sabotage.harm is Harm.FAILS and sabotage.at < len(ended.operations)
        self.figures["failing operations"] += is_failing
        if not error:
            return
        if sabotage.harm in _ENDS:
            self.figures[_ENDS[sabotage.harm]] += 1
        elif step.source == "local_jsonl" and "changed" in error:
            self.figures["refused"] += 1
        else:
            self.reconciliation.differs(f"{step} ended with {error}")

    def close(self) -> None:
        """Land and load everything once more, and reconcile it with what is served."""
        data = str(self.processes.folder / "data")
        ended = self.processes.runs.run(materialize_everything, data)
        if ended.code:
            self.reconciliation.differs(f"the last run failed: {ended.log}")
        self.reconciliation.close()
        self._hear_readers()

    def print_table(self) -> None:
        """Print all figures."""
        figures = {name: self.figures[name] for name in _FIGURES}
        figures["reads meanwhile"] = sum(reader.value for reader in self.readers)
        figures["versions served"] = self.services.versions.total()
        figures |= self.reconciliation.figures
        figures["differences"] = len(self.reconciliation.differences)
        for name, number in figures.items():
            print(f"{name:20}{number:>10,}")
        print("\n".join(["", *self.watch.lines()]), flush=True)


def _error(ended: Ended) -> str:
    """Return why a process did not do what it was started for, or nothing."""
    if ended.code:
        return f"{ended.code}: {ended.log[-3000:]}"
    return "" if not isinstance(ended.answer, Outcome) else ended.answer.error


def soak(folder: Path, seed: int, minutes: float) -> bool:
    """Soak in an empty folder for so many minutes after everything is there.

    Returns:
        Whether everything is as it was served.
    """
    data = folder / "data"
    with (
        services(folder / "raw") as served,
        processes(folder, served.settings) as running,
        readers(folder) as (counts, found),
    ):
        reconciliation = Reconciliation(folder, served.versions)
        soak = Soak(served, running, counts, found, reconciliation, Watch(data))
        soak.go_on(seed, time.monotonic() + 60 * minutes)
        soak._look(0)
        soak.close()
    soak.print_table()
    return not reconciliation.differences
