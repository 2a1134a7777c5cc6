"""The job `<source>_apply_versions`: tables are changed as the files of `versions/` say."""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from pipelines_project.orchestration.commands import job_commands
from pipelines_project.orchestration.late_run import refuse_late_run
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.orchestration.warehouse_settings import warehouse_pool
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.versions.apply_versions import apply_versions, pending_versions
from pipelines_project.warehouse.versions.files import Version

NOT_APPLIED = "A version is applied whole or not at all: the tables of this one are unchanged."
"""How a version that is refused leaves the warehouse."""


class VersionsConfig(dg.Config):
    """What the run does."""

    dry_run: bool = Field(default=False, description="Only list the statements that would run.")


def apply_versions_job(source: str, versions: Sequence[Version]) -> dg.JobDefinition:
    """Return the job that applies a source's versions without loading anything.

    Its launchpad begins with a config that changes nothing.
    """
    op_name = f"{source}_apply_pending_versions"

    @dg.op(
        name=op_name,
        description="Apply the versions that the warehouse does not have, and list them.",
        pool=warehouse_pool(),
        out=dg.Out(dg.Nothing),
    )
    def apply_pending_versions(
        context: dg.OpExecutionContext,
        config: VersionsConfig,
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        refuse_late_run(context)
        work = pending_versions if config.dry_run else apply_versions
        again = job_commands(f"{source}_apply_versions", config=config.model_dump())
        with (
            told_plainly(f"{source}_apply_versions", f"{NOT_APPLIED} Once mended:\n{again}"),
            warehouse.connect() as connection,
        ):
            found = work(connection, source, versions)
        said = {version.name: [each.sql(source) for each in version.changes] for version in found}
        context.log.info(f"{'pending' if config.dry_run else 'applied'}: {said or 'none'}")
        context.add_output_metadata({"versions": said})

    @dg.job(
        name=f"{source}_apply_versions",
        description=f"Change the warehouse tables of {source} as its versions say.",
        config={"ops": {op_name: {"config": {"dry_run": True}}}},
    )
    def apply() -> None:
        apply_pending_versions()

    return apply
