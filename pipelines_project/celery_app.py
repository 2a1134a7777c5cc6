"""The app of Celery workers that execute runs: `celery -A pipelines_project.celery_app worker`.

Broker and settings are those of the run launcher in `dagster.yaml`, so that they have one home.
"""

import dagster as dg
from dagster_celery.tasks import create_execute_job_task

from pipelines_project.orchestration.celery_run_launcher import LockAwareCeleryRunLauncher

_launcher = dg.DagsterInstance.get().run_launcher
if not isinstance(_launcher, LockAwareCeleryRunLauncher):
    raise SystemExit(
        f"The run launcher in {dg.DagsterInstance.get().root_directory}/dagster.yaml is "
        f"{type(_launcher).__name__}. For Celery it is pipelines_project.orchestration."
        "celery_run_launcher.LockAwareCeleryRunLauncher, as in deploy/dagster.yaml."
    )

app = _launcher.celery
execute_job = create_execute_job_task(app)
