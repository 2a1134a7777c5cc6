"""Every file operation, request and statement of a run, and the one at which something happens.

Python tells of its file operations through audit hooks, so none of them is missed, whichever
package does it. What DuckDB writes by itself is told by its statements. Requests are those by which
s3fs writes, lists and deletes.
"""

import errno
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
from aiobotocore.httpsession import AIOHTTPSession

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
_LOOKS = {"os.scandir", "os.listdir"}
_STATEMENTS = ("execute", "begin", "commit", "rollback", "read_parquet", "__exit__")


class Harm(StrEnum):
    """What happens to the run at the chosen operation."""

    NOTHING = "nothing"
    KILLED = "the process is killed before it"
    KILLED_WITH_EMPTY_FILE = "the process is killed when it has made the file"
    KILLED_WITH_HALF_FILE = "the process is killed when half of the file is written"
    KILLED_LATER = "the process is killed so many seconds later"
    CANCELLED = "the process is told to stop"
    FAILS = "the operation fails, and no other does"
    DISK_FULL = "nothing can be written from there on"
    READ_ONLY = "nothing below the folder can be changed from there on"


@dataclass(frozen=True)
class Sabotage:
    """What happens, and when.

    Attributes:
        harm: what happens.
        at: the number of the operation, from 0.
        seconds: how long after it, for `KILLED_LATER`.
        folder: where, for `READ_ONLY`.
        step: an expression; if given, it happens at the first operation whose text it is found in.
    """

    harm: Harm = Harm.NOTHING
    at: int = 0
    seconds: float = 0
    folder: str = ""
    step: str = ""


@dataclass
class Operations:
    """The operations that this process has done below a folder, each as a line of text."""

    root: Path
    sabotage: Sabotage
    done: list[str] = field(default_factory=list)
    _half: str = ""
    _is_busy: bool = False
    _at: float = inf

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Take an audit event of Python."""
        if self._is_busy or not (event in _CHANGES or event in _LOOKS or event == "open"):
            return
        path = _text(args[0])
        writes = event in _CHANGES or (event == "open" and _is_writing(*args[1:3]))
        # What `rmtree` removes is named without its folder.
        inside = path.startswith(str(self.root)) or (event != "open" and not path.startswith("/"))
        if inside:
            self._is_busy = True
            try:
                self._reach(f"{'write' if writes else 'read'} {event} {path}", path, writes)
            finally:
                self._is_busy = False

    def statement(self, name: str, text: str) -> None:
        """Take a call of a DuckDB connection."""
        changes = not re.match(r"\s*(select|from|describe|set)\b", text) and name != "read_parquet"
        self._reach(f"sql {name} {' '.join(text.split())[:80]}", "", changes)

    def request(self, method: str, path: str) -> None:
        """Take a request to an object store."""
        writes = method not in ("GET", "HEAD")
        self._reach(f"{'write' if writes else 'read'} request {method} {path}", path, writes)

    def _reach(self, label: str, path: str, writes: bool) -> None:
        number = len(self.done)
        self.done.append(label)
        if self._at == inf and (not self.sabotage.step or re.search(self.sabotage.step, label)):
            self._at = number if self.sabotage.step else self.sabotage.at
        if self._half:
            os.truncate(self._half, Path(self._half).stat().st_size // 2)
            _kill()
        harm, at = self.sabotage.harm, self._at
        if number == at:
            self._strike(harm, path)
        if harm is Harm.DISK_FULL and number >= at and writes:
            self._fail(errno.ENOSPC, path)
        # The warehouse, which a statement changes, is a file of the root.
        below = (path or str(self.root)).startswith(self.sabotage.folder)
        if harm is Harm.READ_ONLY and number >= at and writes and below:
            self._fail(errno.EROFS, path)

    def _strike(self, harm: Harm, path: str) -> None:
        if harm is Harm.KILLED:
            _kill()
        elif harm is Harm.KILLED_WITH_EMPTY_FILE:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC))
            _kill()
        elif harm is Harm.KILLED_WITH_HALF_FILE:
            self._half = path
        elif harm is Harm.KILLED_LATER:
            # Nobody handles this signal, so the kernel ends the process, in the middle of anything.
            signal.setitimer(signal.ITIMER_REAL, max(self.sabotage.seconds, 1e-6))
        elif harm is Harm.CANCELLED:
            os.kill(os.getpid(), signal.SIGTERM)
        elif harm is Harm.FAILS:
            self._fail(errno.EIO, path)

    def _fail(self, number: int, path: str) -> None:
        if path:
            raise OSError(number, os.strerror(number), path)
        raise duckdb.IOException(f"IO Error: {os.strerror(number)}")


_AT_ONCE = (Harm.KILLED, Harm.KILLED_WITH_EMPTY_FILE, Harm.KILLED_WITH_HALF_FILE)

_LANDING_CHANGE = re.compile(r"write .*/data/landing/")
_LANDING_WRITE = re.compile(r"write open .*/data/landing/")


def kill_points(operations: list[str], is_first: bool, every: int) -> list[Sabotage]:
    """Return a kill before each operation, and two more where a file of the landing is written.

    Of the operations only every so many-th is taken, but each that changes the landing zone: a
    load is published and stale files are deleted by few. The first run of all does in its own
    temporary folder what every run does.
    """
    reached = [n for n, text in enumerate(operations) if not (is_first and "/data/tmp/" in text)]
    fewer = max(1, every // 40)
    changes = [n for n in reached if _LANDING_CHANGE.match(operations[n])][::fewer]
    landed = [n for n in reached if _LANDING_WRITE.match(operations[n])][::fewer]
    assert changes
    before = sorted({*reached[::every], *changes})
    return [Sabotage(Harm.KILLED, n) for n in before] + [
        Sabotage(harm, n) for harm in _AT_ONCE[1:] for n in landed
    ]


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _text(path: Any) -> str:
    return os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)


def _is_writing(mode: str | None, flags: int) -> bool:
    if mode is None:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return not set(mode).isdisjoint("wxa+")


def watch(operations: Operations) -> None:
    """Count the operations of this process from now on, for good."""
    for name in _STATEMENTS:
        called = getattr(duckdb.DuckDBPyConnection, name)
        setattr(duckdb.DuckDBPyConnection, name, _watched(name, called, operations))
    send = AIOHTTPSession.send

    @wraps(send)
    async def watched(self: AIOHTTPSession, request: Any) -> Any:
        operations.request(request.method, urlsplit(request.url).path)
        return await send(self, request)

    AIOHTTPSession.send = watched  # type: ignore[method-assign]
    sys.addaudithook(operations.hook)


def _watched(name: str, call: Callable[..., Any], operations: Operations) -> Callable[..., Any]:
    @wraps(call)
    def watched(self: duckdb.DuckDBPyConnection, *args: Any, **kwargs: Any) -> Any:
        operations.statement(name, str(args[0]) if args else "")
        return call(self, *args, **kwargs)

    return watched
