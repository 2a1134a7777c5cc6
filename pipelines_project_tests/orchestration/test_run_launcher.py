"""A killed run is failed, and frees its pools; no other run is touched."""

import errno
import fcntl
import logging
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget, ModuleTarget
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import (
    consume_new_runs_for_automatic_reexecution,
)
from dagster._daemon.monitoring import run_monitoring
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster_graphql.cli import execute_query

from pipelines_project.defs.resources import resources
from pipelines_project.orchestration.run_lock import lock_file

pytestmark = pytest.mark.stack

_ROOT = Path(__file__).parents[2]
_MODULE, _ATTRIBUTE = (
    "pipelines_project_tests.orchestration.test_run_launcher",
    "waiting_definitions",
)
_LOCATION = f"{_MODULE}:{_ATTRIBUTE}"
_WHERE = ["-m", _MODULE, "-a", _ATTRIBUTE]
_LAUNCH = """
mutation launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { ... on LaunchRunSuccess { run { runId } } }
}
"""
_LOGGER = logging.getLogger(__name__)


def _until(true: Callable[[], object]) -> None:
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@dg.asset(pool="warehouse")
def waiting() -> None:
    """Work until the file `go` is there."""
    _until(Path(os.environ["DAGSTER_HOME"], "go").exists)


@dg.definitions
def waiting_definitions() -> dg.Definitions:
    """What the runs here run: an asset with a pool, executed as the project's own are."""
    job = dg.define_asset_job("wait", selection=[waiting])
    return dg.Definitions.merge(resources(), dg.Definitions(assets=[waiting], jobs=[job]))


def waiting_job() -> dg.JobDefinition:
    return waiting_definitions().resolve_job_def("wait")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An empty instance with the project's settings, which subprocesses share."""
    shutil.copy(_ROOT / "data" / "dagster" / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as opened:
        yield opened


@contextmanager
def _dagster(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "dagster", *command], cwd=_ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _locked(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Return the runs whose processes have taken their locks."""
    return [run for run in instance.get_runs() if lock_file(instance, run.run_id).exists()]


def _health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    return instance.run_launcher.check_run_worker_health(run).status


def _launch(daemon: WorkspaceProcessContext) -> dg.DagsterRun:
    """Launch a run as the UI does."""
    selector = {
        "repositoryLocationName": _LOCATION,
        "repositoryName": "__repository__",
        "jobName": "wait",
    }
    answer: Any = execute_query(daemon, _LAUNCH, {"params": {"selector": selector}})
    run = daemon.instance.get_run_by_id(answer["data"]["launchRun"]["run"]["runId"])
    assert run
    return run


def _monitor(daemon: WorkspaceProcessContext) -> None:
    assert not any(execute_run_monitoring_iteration(daemon, _LOGGER))


def _report(instance: dg.DagsterInstance, run: dg.DagsterRun, *events: str) -> None:
    """Report that the run got so far."""
    for event in events:
        instance.report_dagster_event(dg.DagsterEvent(event, run.job_name), run.run_id)


def _dequeue(daemon: WorkspaceProcessContext) -> None:
    assert not any(QueuedRunCoordinatorDaemon(interval_seconds=1).run_iteration(daemon))


def test_a_killed_run_is_failed_and_frees_its_pool_for_the_next_in_the_queue(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    def status(run: dg.DagsterRun) -> str:
        reloaded = instance.get_run_by_id(run.run_id)
        assert reloaded
        return reloaded.status.value

    # Dagster gives a pool its default limit when it first finds a run waiting for it, and lets
    # that one go on.
    instance.event_log_storage.initialize_concurrency_limit_to_default("warehouse")
    with (
        _dagster("asset", "materialize", "--select", "waiting", *_WHERE) as command_line,
        WorkspaceProcessContext(
            instance,
            ModuleTarget(_MODULE, _ATTRIBUTE, str(_ROOT), _LOCATION),
        ) as daemon,
    ):
        queued = _launch(daemon)
        _until(lambda: _locked(instance))
        [killed] = _locked(instance)
        _monitor(daemon)
        _dequeue(daemon)
        assert (status(killed), status(queued)) == ("STARTED", "QUEUED")

        command_line.kill()
        command_line.wait()
        _dequeue(daemon)
        assert (status(killed), status(queued)) == ("STARTED", "QUEUED")
        _monitor(daemon)
        assert (status(killed), status(queued)) == ("FAILURE", "QUEUED")
        _dequeue(daemon)
        _until(lambda: status(queued) == "STARTED")
        _monitor(daemon)
        (tmp_path / "go").touch()
        _until(lambda: status(queued) in ("SUCCESS", "FAILURE"))
        assert status(queued) == "SUCCESS"

        # Whoever typed the command runs it again; the daemon does not.
        list(
            consume_new_runs_for_automatic_reexecution(daemon, instance.get_run_records(), _LOGGER)
        )
        assert len(instance.get_runs()) == 2


@pytest.mark.parametrize("last", ["PIPELINE_STARTING", "PIPELINE_START"])
def test_a_run_is_said_to_be_run_again_before_it_is_failed(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    # A backfill that looks when a run has failed, and is not said to be run again, ends as failed.
    failed: list[dg.DagsterRun | None] = []
    handle = instance.run_storage.handle_run_event

    def look_after(run_id: str, *args: Any) -> None:
        handle(run_id, *args)
        failed.append(instance.get_run_by_id(run_id))

    killed = instance.create_run_for_job(waiting_job())
    _report(instance, killed, "PIPELINE_STARTING", last)
    lock_file(instance, killed.run_id).parent.mkdir(parents=True)
    lock_file(instance, killed.run_id).touch()
    # When a run that has not started by now has failed to.
    monkeypatch.setattr(run_monitoring, "get_current_timestamp", lambda: time.time() + 200)
    monkeypatch.setattr(instance.run_storage, "handle_run_event", look_after)
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as daemon:
        _monitor(daemon)

    [run] = failed
    assert run
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert run.is_complete_and_waiting_to_retry


def test_a_run_that_has_ended_well_is_not_said_to_be_run_again(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    # Monitoring may have seen it when it was not at its end.
    (tmp_path / "go").touch()
    with _dagster("job", "execute", "-j", "wait", *_WHERE) as process:
        process.wait()
    [run] = instance.get_runs()

    assert _health(instance, run) == WorkerStatus.FAILED
    ended = instance.get_run_by_id(run.run_id)
    assert ended
    assert ended.is_success
    assert WILL_RETRY_TAG not in ended.tags


def test_a_run_is_judged_only_on_the_host_where_it_ran(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _dagster("job", "execute", "-j", "wait", *_WHERE) as process:
        _until(lambda: _locked(instance))
        [run] = _locked(instance)
        assert _health(instance, run) == WorkerStatus.RUNNING
        process.kill()
        process.wait()

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(platform, "node", lambda: "elsewhere")
        assert _health(instance, run) == WorkerStatus.RUNNING
    assert _health(instance, run) == WorkerStatus.FAILED


def test_a_run_that_never_took_a_lock_is_left_to_its_maximum_runtime(
    instance: dg.DagsterInstance,
) -> None:
    run = instance.create_run_for_job(waiting_job())

    assert _health(instance, run) == WorkerStatus.RUNNING


def test_a_run_is_not_taken_for_dead_between_its_end_and_its_success(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    result = dg.execute_job(dg.reconstructable(waiting_job), instance)

    # The process, this one, lives on.
    assert result.success
    assert _health(instance, result.dagster_run) == WorkerStatus.RUNNING


def test_no_lock_is_taken_where_another_launcher_does_not_look_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with a pod for each run, which Kubernetes knows to be gone.
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (tmp_path / "go").touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as opened:
        result = dg.execute_job(dg.reconstructable(waiting_job), opened)

        assert result.success
        assert not lock_file(opened, result.run_id).exists()


def test_a_run_goes_on_with_a_warning_where_files_cannot_be_locked(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "go").touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    result = dg.execute_job(dg.reconstructable(waiting_job), instance)

    assert result.success
    assert not lock_file(instance, result.run_id).exists()
    warned = [event.user_message for event in instance.all_logs(result.run_id) if event.level == 30]
    assert [message for message in warned if "No locks available" in message]
