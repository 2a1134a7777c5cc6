"""The job `<source>_forget`: a person's rows go from landing zone, warehouse and marts."""

from collections.abc import Sequence

import dagster as dg

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.sql_models import Mart
from pipelines_project.forget.forgetting import Forgetting, Places
from pipelines_project.landing.zone import LandingZone
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse


def forget_job(
    component: MonthlySource, tables: Sequence[Table], marts: Sequence[Mart]
) -> dg.JobDefinition:
    """Return the job that forgets a person in tables of a source.

    Args:
        component: the source's, or one of them; it says what a person is called.
        tables: those that have a `subject`.
        marts: the models over them, each after those that it reads.
    """
    source, name = component.source, component.subject_name

    @dg.op(
        name=f"{source}_forget_rows",
        description=f"Remove the rows of one {name} from {', '.join(t.name for t in tables)}, "
        "wherever they are kept, and list what went.",
        config_schema={
            name: dg.Field(component.subject_type, description="Whose rows go."),
            "dry_run": dg.Field(bool, default_value=False, description="Only list what would go."),
        },
        # Not to meet runs that land; the second look finds what they land nevertheless.
        pool=f"{source}_api",
        out=dg.Out(dg.Nothing),
    )
    def forget_rows(
        context: dg.OpExecutionContext, landing: LandingZone, warehouse: Warehouse
    ) -> None:
        try:
            value = component.checked_subject(context.op_config[name])
        except ValueError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        forgetting = Forgetting(component, value, landing, warehouse, tables, marts)
        forgetting.check_columns()
        found = forgetting.look()
        for where, rows in found.items():
            context.log.info(f"{where}: {rows}")
        context.add_output_metadata({"rows": found})
        if not context.op_config["dry_run"]:
            for event in forgetting.forget():
                context.log_event(event)
            _check(forgetting.look())

    @dg.job(name=f"{source}_forget", description=f"Forget one {name} in all that {source} keeps.")
    def forget() -> None:
        forget_rows()

    return forget


def _check(left: Places) -> None:
    """Fail if rows of the person are there after all."""
    if left:
        places = "\n".join(f"- {where}: {rows}" for where, rows in left.items())
        raise dg.Failure(
            "There are such rows again, or still: a run may have landed them meanwhile. When no "
            f"run goes on, run this job again.\n{places}",
            allow_retries=False,
        )
