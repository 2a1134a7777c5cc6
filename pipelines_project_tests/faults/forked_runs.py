"""Runs of the real assets, each in a process of its own that is forked and so starts at once.

One process imports the definitions and does nothing else; it has no other thread, so that it can
be forked at any time.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pipelines_project_tests.faults.operations import Operations, Sabotage, watch


@dataclass(frozen=True)
class Order:
    """What a forked process is to do.

    Attributes:
        work: called with the definitions and the arguments; a function of a module.
        args: pickled, as is what `work` returns.
        sabotage: what happens to the process meanwhile.
        report: where its answer is written.
    """

    work: Callable[..., Any]
    args: tuple[Any, ...]
    sabotage: Sabotage
    report: Path


@dataclass(frozen=True)
class Ended:
    """A forked process that has ended.

    Attributes:
        code: its exit code, negative for a signal.
        operations: what it did, unless it was killed.
        answer: what `work` returned, unless it was killed.
        log: what it wrote.
    """

    code: int
    operations: list[str] = field(default_factory=list)
    answer: Any = None
    log: str = ""


class ForkedRuns:
    """The process that is forked, and what came of the processes that were."""

    def __init__(self, pipe: Any, folder: Path) -> None:
        """Talk to the process through the pipe."""
        self._pipe = pipe
        self._folder = folder
        self._numbers = count()

    def start(
        self, work: Callable[..., Any], *args: Any, sabotage: Sabotage | None = None
    ) -> tuple[int, Path]:
        """Begin the work in a new process, and return its id and where it reports."""
        report = self._folder / f"report-{next(self._numbers)}"
        order = Order(work, args, sabotage or Sabotage(), report)
        self._pipe.send(order)
        return self._pipe.recv(), report

    def end(self, started: tuple[int, Path]) -> Ended:
        """Wait until the process has ended."""
        pid, report = started
        self._pipe.send(pid)
        code, log = self._pipe.recv(), report.with_suffix(".log")
        said = log.read_text(errors="replace")
        log.unlink()
        if not report.exists():
            return Ended(code, log=said)
        operations, answer = pickle.loads(report.read_bytes())
        report.unlink()
        return Ended(code, operations, answer, said)

    def run(self, work: Callable[..., Any], *args: Any, sabotage: Sabotage | None = None) -> Ended:
        """Do the work in a new process, and wait until it has ended."""
        return self.end(self.start(work, *args, sabotage=sabotage))


@contextmanager
def forked_runs(
    folder: Path, environment: Mapping[str, str], work: Callable[..., Any], *args: Any
) -> Iterator[ForkedRuns]:
    """Give a process that has imported the definitions, and end it afterwards.

    Args:
        folder: what its children do below `folder/"data"` is counted; reports lie beside it.
        environment: the settings of the definitions.
        work: what it does once itself, so that all that is imported late is imported too.
        args: of the work.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    temporary = folder / "data" / "tmp"
    temporary.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        # Before its imports, because tempfile and DuckDB keep what they are told first.
        for name, value in {**environment, "TMPDIR": str(temporary)}.items():
            patch.setenv(name, value)
        process = context.Process(target=_serve, args=(theirs, folder, work, args), daemon=True)
        process.start()
    theirs.close()
    try:
        assert ours.recv() == "ready"
        yield ForkedRuns(ours, folder)
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _serve(pipe: Any, folder: Path, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Import the definitions, then fork for each order, and wait for each process id."""
    _write_to(folder / "forked.log")
    from tenacity import wait_none

    from pipelines_project import definitions
    from pipelines_project.orchestration import land_op

    land_op.wait_random_exponential = lambda **_: wait_none()  # type: ignore[assignment]
    work(definitions.load(), *args)
    # What an object store has opened does not survive a fork.
    defs = definitions.load()
    pipe.send("ready")
    while True:
        try:
            message = pipe.recv()
        except EOFError:
            return
        if isinstance(message, Order):
            child = os.fork()
            if not child:
                _obey(message, defs, folder / "data")
            pipe.send(child)
        else:
            pipe.send(os.waitstatus_to_exitcode(os.waitpid(message, 0)[1]))


def _obey(order: Order, defs: Any, data: Path) -> None:
    """Do what was ordered, report, and end this process without any clean-up of its parent's."""
    _write_to(order.report.with_suffix(".log"))
    operations = Operations(data, order.sabotage)
    code = 1
    try:
        _take_signals()
        watch(operations)
        answer = order.work(defs, *order.args)
        part = order.report.with_suffix(".part")
        part.write_bytes(pickle.dumps((operations.done, answer)))
        part.rename(order.report)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _write_to(log: Path) -> None:
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _take_signals() -> None:
    """Take SIGTERM as a process that Dagster has launched does."""
    from dagster._utils.interrupts import setup_interrupt_handlers

    signal.signal(signal.SIGINT, signal.default_int_handler)
    setup_interrupt_handlers()
