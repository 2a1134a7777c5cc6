"""Launchers that know which runs were killed, by a lock, and the executor that takes it.

Dagster goes on counting a killed run as started, so the run holds its pools. The executor here
takes the lock that the instance's launcher looks at; the launcher, asked by Dagster's run
monitoring, fails the runs whose lock is free. With any other launcher, no lock is taken.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

# What a launcher answers with, and whether a run is run again, have no public names; dagster issue
# 5652 asks for launchers of one's own to be documented.
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.launcher import CheckRunHealthResult, RunLauncher, WorkerStatus
from dagster._core.storage.tags import WILL_RETRY_TAG

from pipelines_project.orchestration.run_lock import FileLock, RunLock

_FAILED_BY_MONITORING = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED)


class _LockedExecutor(dg.Executor):
    """Executes as another executor does, with the run's lock held."""

    def __init__(self, executor: dg.Executor) -> None:
        self._executor = executor

    @property
    def retries(self) -> Any:
        return self._executor.retries

    @property
    def step_dependency_config(self) -> Any:
        return self._executor.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        launcher = plan_context.instance.run_launcher
        if isinstance(launcher, KnowsKilledRuns):
            try:
                launcher.run_lock.take(plan_context.instance, plan_context.dagster_run)
            except OSError as error:
                plan_context.log.warning(
                    "This run's lock could not be taken, so if its process is killed, the run "
                    f"counts as started until its maximum runtime: {error}"
                )
        yield from self._executor.execute(plan_context, execution_plan)


@dg.executor(name="in_process", config_schema=dg.in_process_executor.config_schema.as_field())
def locked_in_process_executor(init_context: dg.InitExecutorContext) -> dg.Executor:
    """Execute every step in the run's own process, which holds the run's lock."""
    create = dg.in_process_executor.executor_creation_fn
    assert create
    return _LockedExecutor(create(init_context))


class KnowsKilledRuns(RunLauncher):
    """What makes a launcher, named after it, fail the runs whose locks are free."""

    run_lock: RunLock

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return FAILED for a run whose process is known to have ended.

        Any other is RUNNING, so that its maximum runtime decides: monitoring fails UNKNOWN too.
        """
        if not self.run_lock.is_free(self._instance, run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._announce_retry(run.run_id)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the run's process was killed")

    def get_run_worker_debug_info(
        self, run: dg.DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        """Return nothing; monitoring asks before it fails a run that did not start in time."""
        self._announce_retry(run.run_id)
        return None

    def _announce_retry(self, run_id: str) -> None:
        """Say of a run that is about to be failed whether it will be run again.

        Dagster says so itself, but a moment after it has failed the run. A backfill that looks in
        that moment finds nothing that goes on or will, and ends as failed.
        """
        run = self._instance.get_run_by_id(run_id)
        # A process says how its run ended before it lets go of the lock. Dagster would run a run
        # again that has succeeded and is said to be.
        if run and run.status in _FAILED_BY_MONITORING and self._instance.run_retries_enabled:
            failed = run.with_status(dg.DagsterRunStatus.FAILURE)
            will_retry = auto_reexecution_should_retry_run(self._instance, failed, None)
            self._instance.add_run_tags(run_id, {WILL_RETRY_TAG: str(will_retry).lower()})


class LockAwareRunLauncher(KnowsKilledRuns, dg.DefaultRunLauncher):
    """Dagster's default launcher, which also knows which runs on its host have been killed."""

    run_lock = FileLock()
