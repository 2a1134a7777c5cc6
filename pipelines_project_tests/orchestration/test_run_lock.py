"""The lock in the database, by which a killed run is known on any machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from pipelines_project.orchestration.run_lock import EXECUTED_BY, DatabaseLock
from pipelines_project_tests.databases import emptied_database

pytestmark = pytest.mark.stack

_TAKE_AND_WAIT = """
import signal, sys
import dagster as dg
from pipelines_project.orchestration.run_lock import DatabaseLock
with dg.DagsterInstance.get() as instance:
    [run] = instance.get_runs(dg.RunsFilter([sys.argv[1]]))
    DatabaseLock().take(instance, run)
    print("taken", flush=True)
    signal.pause()
"""


@dg.job
def nothing() -> None:
    """A job without ops."""


@pytest.fixture
def instance(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """An instance whose runs are in PostgreSQL."""
    url = emptied_database(postgres, "dagster").replace("postgresql:", "postgresql+psycopg2:")
    settings = {"storage": {"postgres": {"postgres_url": url}}, "telemetry": {"enabled": False}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as opened:
        yield opened


def _again(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    [found] = instance.get_runs(dg.RunsFilter([run.run_id]))
    return found


def test_the_lock_is_free_when_the_process_that_took_it_is_killed(
    instance: dg.DagsterInstance,
) -> None:
    lock, run = DatabaseLock(), instance.create_run_for_job(nothing)
    assert not lock.is_free(instance, run)

    command = [sys.executable, "-c", _TAKE_AND_WAIT, run.run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"taken\n"
        assert not lock.is_free(instance, _again(instance, run))
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert lock.is_free(instance, _again(instance, run))


def test_a_worker_keeps_the_lock_of_its_last_run_only(instance: dg.DagsterInstance) -> None:
    lock = DatabaseLock()
    first, second = (instance.create_run_for_job(nothing) for _ in range(2))
    lock.take(instance, first)
    assert not lock.is_free(instance, _again(instance, first))
    lock.take(instance, second)

    assert lock.is_free(instance, _again(instance, first))
    assert not lock.is_free(instance, _again(instance, second))


def test_a_run_that_has_the_tags_of_the_one_before_has_not_taken_its_lock(
    instance: dg.DagsterInstance,
) -> None:
    lock, killed = DatabaseLock(), instance.create_run_for_job(nothing)
    lock.take(instance, killed)
    copied = {EXECUTED_BY: _again(instance, killed).tags[EXECUTED_BY]}

    assert not lock.is_free(instance, instance.create_run_for_job(nothing, tags=copied))
