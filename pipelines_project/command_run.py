"""A run that a command makes and executes in its own process, shown in the UI as any other."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

# A run that `dagster.execute_job` makes says of no code location that it is its own, so that the
# UI's timeline and the pages of jobs leave it out: dagster issue 17707.
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from pipelines_project import definitions

# As `workspace.yaml` and `deploy/workspace.yaml` name it, and Dagster what it finds there.
_ORIGIN = RemoteRepositoryOrigin(
    RegisteredCodeLocationOrigin(definitions.__name__), "__repository__"
)
# Whoever gave the command sees that it failed; a daemon that runs it again has other settings.
_NOT_RUN_AGAIN = {"dagster/max_retries": "0"}


def run(
    instance: dg.DagsterInstance,
    job: ReconstructableJob,
    run_config: Mapping[str, Any],
    tags: Mapping[str, str],
    assets: Sequence[dg.AssetKey] = (),
) -> dg.JobExecutionResult:
    """Run a job now, or some assets of it.

    Raises:
        DagsterInvalidConfigError: the run config does not fit; no run was made.
    """
    definition = job.get_definition()
    made = instance.create_run_for_job(
        definition,
        run_config=run_config,
        tags={**tags, **_NOT_RUN_AGAIN},
        asset_selection={*assets} or None,
        remote_job_origin=_ORIGIN.get_job_origin(definition.name),
        job_code_origin=job.get_python_origin(),
    )
    return execute_run(job, made, instance)
