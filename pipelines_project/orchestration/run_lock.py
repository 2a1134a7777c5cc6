"""The lock of a run: a process holds it until it ends, however it ends.

So a run whose process was killed is told from one that works, without a process id that could have
been reused. A file serves the processes of one host; a lock in the database that keeps Dagster's
runs serves those of many.
"""

import fcntl
import os
import platform
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
from sqlalchemy import text

EXECUTED_BY = "pipelines_project/executed_by"
"""The tag of a run that says which process took its lock in the database."""

_held = ExitStack()


class RunLock(Protocol):
    """Where the locks of an instance's runs are."""

    def take(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        """Take the lock of a run that this process executes, and keep it after the run's end."""
        ...

    def is_free(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
        """Tell whether the process that took the lock has ended; False where none did."""
        ...


def lock_file(instance: dg.DagsterInstance, run_id: str) -> Path:
    """Return the file that the run's process locks, in the run's folder in Dagster's storage.

    The host's name is in it: a network file system may show the file to a host, but not the lock.
    """
    return Path(instance.storage_directory()) / run_id / f"{platform.node()}.lock"


class FileLock:
    """Locks files in Dagster's storage on this host; of another host's runs nothing is known."""

    def take(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        """Lock the run's file until this process ends; its descriptor is never closed.

        The file gets its name when it is locked already, so nobody finds it free before.
        """
        file = lock_file(instance, run.run_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        unnamed = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(unnamed, os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(file)

    def is_free(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
        """Tell whether the process that locked the file has ended."""
        try:
            with lock_file(instance, run.run_id).open("rb") as opened:
                # Shared, so that two daemons that ask at once do not take each other for the run.
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            # The lock is held, or the run is another host's, or it has no lock.
            return False
        return True


class DatabaseLock:
    """Takes advisory locks in the PostgreSQL that keeps the runs, for workers on any host.

    A lock ends with its connection: at once where a process is killed, and after a minute where its
    machine or the network is gone.
    """

    def take(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        """Take the lock, on a connection that lasts until this process ends or takes another.

        A worker executes one run after another; that of before has told how it ended by now. The
        tag is written afterwards, so nobody finds the lock free before it was taken. It names the
        run, because a run that is done again gets the tags of the first.
        """
        _held.close()
        connection = _held.enter_context(_runs(instance).connect())
        for name, seconds in (("idle", 30), ("interval", 10), ("count", 3)):
            connection.execute(text(f"set tcp_keepalives_{name} = {seconds}"))
        connection.execute(text(_NEVER_TOO_IDLE))
        connection.execute(text(_LOCK.format("pg_advisory_lock")), {"name": _name(run)})
        instance.add_run_tags(run.run_id, {EXECUTED_BY: _executed_by(run)})

    def is_free(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
        """Tell whether the connection that took the lock has ended."""
        if not run.tags.get(EXECUTED_BY, "").startswith(run.run_id):
            return False
        # Shared, for the moment of the statement.
        statement = text(_LOCK.format("pg_try_advisory_xact_lock_shared"))
        with _runs(instance).connect() as connection:
            return bool(connection.execute(statement, {"name": _name(run)}).scalar())


_LOCK = "select {}(hashtextextended(:name, 0))"
_NEVER_TOO_IDLE = """
    select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'
"""


def _runs(instance: dg.DagsterInstance) -> Any:
    """Return the storage of runs, whose types know no SQL, which PostgreSQL's speaks."""
    return instance.run_storage


def _name(run: dg.DagsterRun) -> str:
    return f"pipelines_project run {run.run_id}"


def _executed_by(run: dg.DagsterRun) -> str:
    return f"{run.run_id} {platform.node()} {os.getpid()}"
