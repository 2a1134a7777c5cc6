"""The job `<source>_forget`: a person's rows go from landing zone, warehouse and marts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import dagster as dg

from pipelines_project.forget.forgetting import (
    BuiltAnew,
    Forgetting,
    LandedAnew,
    LoadedAnew,
    Places,
    UnknownColumnError,
)
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build import Built
from pipelines_project.marts.mart import Mart
from pipelines_project.orchestration.commands import job_commands
from pipelines_project.orchestration.contents import materialization
from pipelines_project.orchestration.late_run import refuse_late_run
from pipelines_project.orchestration.mart_asset import mart_key, mart_metadata
from pipelines_project.orchestration.metadata import landed_metadata, loaded_metadata
from pipelines_project.orchestration.month_mart_asset import month_event
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse

_WHOLE = "Each month and mart is whole, without the person or as it was."
"""How a run that ends early leaves what it was to change."""


@dataclass(frozen=True)
class Person:
    """How a source names a person.

    Attributes:
        name: what the run config calls it.
        type: what it takes.
        checked: returns it as the tables' `subject` columns have it, or raises `ValueError`.
        comes_again: returns why the next run would land the person's rows again, and what to do;
            nothing if it would not.
    """

    name: str
    type: type
    checked: Callable[[Any], str]
    comes_again: Callable[[str], str]


def forget_job(
    source: str, person: Person, tables: Sequence[Table], marts: Sequence[Mart]
) -> dg.JobDefinition:
    """Return the job that forgets a person in tables of a source.

    It only lists what would go, unless its config says otherwise.

    Args:
        source: the source.
        person: how it names a person.
        tables: those that have a `subject`.
        marts: the models over them, each after those that it reads.
    """
    op_name, job_name = f"{source}_forget_rows", f"{source}_forget"

    @dg.op(
        name=op_name,
        description=f"Remove the rows of one {person.name} from "
        f"{', '.join(t.name for t in tables)}, wherever they are kept, and list what went.",
        config_schema={
            person.name: dg.Field(person.type, description="Whose rows go."),
            "dry_run": dg.Field(
                bool, default_value=True, description="Only list what would go; false removes it."
            ),
        },
        # Not to meet runs that land; the second look finds what they land nevertheless.
        pool=f"{source}_api",
        out=dg.Out(dg.Nothing),
    )
    def forget_rows(
        context: dg.OpExecutionContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        refuse_late_run(context)
        is_dry = context.op_config["dry_run"]
        looking, removing = (
            job_commands(job_name, config={**context.op_config, "dry_run": dry})
            for dry in (True, False)
        )
        try:
            value = person.checked(context.op_config[person.name])
            forgetting = Forgetting(value, landing, warehouse, tables, marts)
            forgetting.check_columns()
        except (ValueError, UnknownColumnError) as error:
            raise dg.Failure(
                f"{job_name}: {error}. Nothing was removed. Once mended, a dry run shows what "
                f"would go:\n{looking}",
                allow_retries=False,
            ) from None
        if again := person.comes_again(value):
            if not is_dry:
                raise dg.Failure(
                    f"{job_name}: {again}. Nothing was removed. Then:\n{removing}",
                    allow_retries=False,
                )
            context.log.warning(f"To be done before the rows are removed: {again}")
        with told_plainly(job_name, f"{_WHOLE} Run it again; it goes on from there:\n{removing}"):
            found = forgetting.look()
            _tell(context, found, removing if is_dry else "")
            if not is_dry:
                _forget(context, forgetting)
                _check(job_name, forgetting.look(), removing)

    @dg.job(
        name=job_name,
        description=f"Forget one {person.name} in all that {source} keeps; a dry run by default.",
        config={"ops": {op_name: {"config": {person.name: person.type(), "dry_run": True}}}},
    )
    def forget() -> None:
        forget_rows()

    return forget


def _forget(context: dg.OpExecutionContext, forgetting: Forgetting) -> None:
    """Remove the rows, and record what was made anew."""
    for done in forgetting.forget():
        for event in _events(done):
            context.log_event(event)


def _tell(context: dg.OpExecutionContext, found: Places, removing: str) -> None:
    """Say where the person has rows, in the log and as a table.

    Args:
        context: of the op.
        found: the rows.
        removing: the command that removes them, if it is not this run that does.
    """
    lines = [(where, what, rows) for where, each in found.items() for what, rows in each.items()]
    for where, what, rows in lines:
        context.log.info(f"{where}: {rows} in {what}")
    heading = "There are no rows." if not found else "These rows go."
    if removing and found:
        heading = (
            f"A dry run: nothing was removed. To remove these rows:\n\n{indent(removing, '  ')}"
        )
    context.log.info(heading)
    table = ["| where | what | rows |", "|---|---|---|"]
    table += [f"| {where} | {what} | {rows} |" for where, what, rows in lines]
    said = "\n".join([heading, "", *(table if lines else [])])
    context.add_output_metadata({"rows": found, "what_goes": dg.MetadataValue.md(said)})


def _events(done: LandedAnew | LoadedAnew | BuiltAnew) -> list[dg.AssetMaterialization]:
    """Return the materializations of what was landed, loaded or built anew."""
    if isinstance(done, BuiltAnew):
        return _built_events(done)
    if isinstance(done, LoadedAnew):
        key, metadata = warehouse_key(done.table), loaded_metadata(done.table, done.loaded)
    else:
        key = landing_key(done.table)
        metadata = {
            **landed_metadata(done.table, done.landed),
            "rows_forgotten": done.rows_forgotten,
        }
    return [materialization(key, metadata, done.month)]


def _built_events(done: BuiltAnew) -> list[dg.AssetMaterialization]:
    if isinstance(done.built, Built):
        return [materialization(mart_key(done.mart), mart_metadata(done.mart, done.built))]
    return [month_event(done.mart, done.built, month) for month in done.built.months]


def _check(job_name: str, left: Places, removing: str) -> None:
    """Fail if rows of the person are there after all."""
    if left:
        places = "\n".join(f"- {where}: {rows}" for where, rows in left.items())
        raise dg.Failure(
            f"{job_name}: there are such rows again, or still: a run may have landed them "
            f"meanwhile.\n{places}\n{_WHOLE} When no run goes on:\n{removing}",
            allow_retries=False,
        )
