"""Deleting what Dagster keeps of long ago: runs with their events and logs, and ticks."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import text

from pipelines_project.orchestration.needed_runs import needed_runs

_ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Where Dagster has its SQLite files below its home, if it has any.
_SHARDS = Path("history", "runs")
_FILES = (Path("history", "runs.db"), _SHARDS / "index.db", Path("schedules", "schedules.db"))

# How long to wait for a file that another process writes to.
_LOCK_SECONDS = 60.0


def old_runs(instance: dg.DagsterInstance, before: datetime) -> list[str]:
    """Return the runs that have ended and were made before a moment, the oldest first."""
    wanted = dg.RunsFilter(statuses=_ENDED, created_before=before)
    return [*reversed(instance.get_run_ids(wanted))]


def deletable(instance: dg.DagsterInstance, runs: Sequence[str]) -> list[str]:
    """Return those of the runs that hold the newest word on nothing."""
    needed = needed_runs(instance) if runs else set[str]()
    return [run for run in runs if run not in needed]


def delete_logs(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete what the steps of a run printed, and what they handed on."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run, its events, and what Dagster leaves of both.

    The run itself goes last but for its file, so that one whose deletion is broken off is found
    again.
    """
    delete_logs(instance, run_id)
    # Its types know no SQL, which every storage of the open-source Dagster speaks.
    storage: Any = instance.event_log_storage
    with storage.index_connection() as connection:
        query = text("delete from asset_check_executions where run_id = :run_id")
        connection.execute(query, {"run_id": run_id})
    instance.event_log_storage.delete_events(run_id)
    instance.delete_run(run_id)
    _delete_shard(instance, run_id)


def delete_rests(instance: dg.DagsterInstance) -> int:
    """Delete what is left of runs that are gone, and return of how many files were.

    SQLite keeps the tags of a deleted run, and a file for its events.
    """
    storage: Any = instance.run_storage
    with storage.connect() as connection:
        connection.execute(
            text("delete from run_tags where run_id not in (select run_id from runs)")
        )
    shards = _root(instance) / _SHARDS
    names = {path.stem for path in shards.glob("*.db") if _RUN_ID.fullmatch(path.stem)}
    left = sorted(name for name in names if not instance.has_run(name))
    for run_id in left:
        instance.event_log_storage.delete_events(run_id)
        _delete_shard(instance, run_id)
    return len(left)


def old_ticks(instance: dg.DagsterInstance, before: datetime, *, delete: bool) -> int:
    """Return how many ticks there are from before a moment, having deleted them if asked to."""
    found = 0
    for state in instance.all_instigator_state():
        which = state.instigator_origin_id, state.selector_id
        found += len(instance.get_ticks(*which, before=before.timestamp()))
        if delete:
            instance.purge_ticks(*which, before.timestamp())
    return found


def vacuum(instance: dg.DagsterInstance) -> Iterator[str]:
    """Give the room of what was deleted back, where the history is in SQLite files.

    Yields:
        A sentence for each file.
    """
    for name in _FILES:
        file = _root(instance) / name
        if not file.is_file():
            continue
        before = file.stat().st_size
        connection = sqlite3.connect(file, timeout=_LOCK_SECONDS, isolation_level=None)
        try:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError as error:
            yield f"{name} keeps its size, {before} bytes: {error}"
        else:
            yield f"{name}: {before} bytes before, {file.stat().st_size} now"
        finally:
            connection.close()


def _root(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory)


def _delete_shard(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete the file of a run's events, if the history has one for each run."""
    for ending in ("", "-wal", "-shm"):
        (_root(instance) / _SHARDS / f"{run_id}.db{ending}").unlink(missing_ok=True)
