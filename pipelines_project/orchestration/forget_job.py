"""The job `<source>_forget`: a person's rows go from landing zone, warehouse and marts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from pipelines_project.marts.build import Built, Mart
from pipelines_project.orchestration.contents import materialization
from pipelines_project.orchestration.late_run import refuse_late_run
from pipelines_project.orchestration.mart_asset import mart_key, mart_metadata
from pipelines_project.orchestration.metadata import landed_metadata, loaded_metadata
from pipelines_project.orchestration.month_mart_asset import month_event
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse


@dataclass(frozen=True)
class Person:
    """How a source names a person.

    Attributes:
        name: what the run config calls it.
        type: what it takes.
        checked: returns it as the tables' `subject` columns have it, or raises `ValueError`.
    """

    name: str
    type: type
    checked: Callable[[Any], str]


def forget_job(
    source: str, person: Person, tables: Sequence[Table], marts: Sequence[Mart]
) -> dg.JobDefinition:
    """Return the job that forgets a person in tables of a source.

    Args:
        source: the source.
        person: how it names a person.
        tables: those that have a `subject`.
        marts: the models over them, each after those that it reads.
    """

    @dg.op(
        name=f"{source}_forget_rows",
        description=f"Remove the rows of one {person.name} from "
        f"{', '.join(t.name for t in tables)}, wherever they are kept, and list what went.",
        config_schema={
            person.name: dg.Field(person.type, description="Whose rows go."),
            "dry_run": dg.Field(bool, default_value=False, description="Only list what would go."),
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
        try:
            value = person.checked(context.op_config[person.name])
            forgetting = Forgetting(value, landing, warehouse, tables, marts)
            forgetting.check_columns()
        except (ValueError, UnknownColumnError) as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        found = forgetting.look()
        for where, rows in found.items():
            context.log.info(f"{where}: {rows}")
        context.add_output_metadata({"rows": found})
        if not context.op_config["dry_run"]:
            for done in forgetting.forget():
                for event in _events(done):
                    context.log_event(event)
            _check(forgetting.look())

    @dg.job(
        name=f"{source}_forget", description=f"Forget one {person.name} in all that {source} keeps."
    )
    def forget() -> None:
        forget_rows()

    return forget


def _events(done: LandedAnew | LoadedAnew | BuiltAnew) -> list[dg.AssetMaterialization]:
    """Return the materializations of what was landed, loaded or built anew."""
    if isinstance(done, BuiltAnew):
        return _built_events(done)
    if isinstance(done, LoadedAnew):
        key, metadata = warehouse_key(done.table), loaded_metadata(done.loaded)
    else:
        key = landing_key(done.table)
        metadata = {**landed_metadata(done.landed), "rows_forgotten": done.rows_forgotten}
    return [materialization(key, metadata, done.month)]


def _built_events(done: BuiltAnew) -> list[dg.AssetMaterialization]:
    if isinstance(done.built, Built):
        return [materialization(mart_key(done.mart), mart_metadata(done.mart, done.built))]
    return [month_event(done.mart, done.built, month) for month in done.built.months]


def _check(left: Places) -> None:
    """Fail if rows of the person are there after all."""
    if left:
        places = "\n".join(f"- {where}: {rows}" for where, rows in left.items())
        raise dg.Failure(
            "There are such rows again, or still: a run may have landed them meanwhile. When no "
            f"run goes on, run this job again.\n{places}",
            allow_retries=False,
        )
