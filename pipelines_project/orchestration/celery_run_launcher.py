"""The launcher of many machines: each run is a task of a Celery worker (extra `celery`)."""

from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from pipelines_project.orchestration.run_launcher import KnowsKilledRuns
from pipelines_project.orchestration.run_lock import DatabaseLock


class LockAwareCeleryRunLauncher(KnowsKilledRuns, CeleryRunLauncher):
    """dagster-celery's launcher, which knows by the run's lock in PostgreSQL whether it was killed.

    Celery itself knows of a killed worker only where the worker's parent process lives on: of a
    machine that is gone, the task counts as started for ever. It is also not asked for a run that
    has no task, because it runs on the command line.
    """

    run_lock = DatabaseLock()

    def terminate(self, run_id: str) -> bool:
        """Cancel a run that a worker executes, or will.

        That it is being cancelled is said first: a worker that is told to stop, and finds that
        nobody asked for it, says that the run has failed, and it would be run again.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)
