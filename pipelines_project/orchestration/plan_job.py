"""The job `plan_backfill`: what a backfill would do, told in the UI; it changes nothing."""

from collections.abc import Sequence

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import named_months
from pipelines_project.orchestration.commands import job_commands
from pipelines_project.orchestration.plan import Plannable, plan, selected_tables
from pipelines_project.orchestration.plan_markdown import plan_markdown
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.sources.http.api_calls import ApiCalls

_OP, _JOB = "plan_months", "plan_backfill"
_DEFAULT = {"source": None, "table": None, "months": "", "ask_sources": False}


def plan_job(tables: Sequence[Plannable]) -> dg.JobDefinition:
    """Return the job, for the tables of all sources."""

    @dg.op(
        name=_OP,
        config_schema=_schema(tables),
        description="Tell which months are missing, stale, failed or changed, and what it takes.",
        out=dg.Out(dg.Nothing),
    )
    def plan_months(context: dg.OpExecutionContext, landing: dg.ResourceParam[LandingZone]) -> None:
        config, calls = context.op_config, ApiCalls(log=context.log)
        try:
            chosen = _chosen(tables, config["source"], config["table"])
            months = named_months(config["months"]) if config["months"] else None
        except ValueError as error:
            every = job_commands(_JOB, config=_DEFAULT)
            said = f"{_JOB}: {error}. Nothing was asked or changed. To plan every month of every"
            raise dg.Failure(f"{said} table:\n{every}", allow_retries=False) from None
        keys = [key(each.table) for each in chosen for key in (landing_key, warehouse_key)]
        found = selected_tables(chosen, keys, landing, calls if config["ask_sources"] else None)
        plans = [plan(context.instance, landing, each, months) for each in found]
        told = dg.MetadataValue.md(plan_markdown(plans))
        context.add_output_metadata({"plan": told, "http_requests": calls.count})

    @dg.job(
        name=_JOB,
        description="Tell what a backfill would find, take and delete; it changes nothing. The "
        "plan is in the metadata of the op's output.",
        config={"ops": {_OP: {"config": _DEFAULT}}},
    )
    def plan_backfill() -> None:
        plan_months()

    return plan_backfill


def _schema(tables: Sequence[Plannable]) -> dict[str, dg.Field]:
    names = sorted({each.table.source for each in tables})
    # Dagster names the type where it refuses a value, so its name says what there is.
    sources = dg.Enum(f"sources: {', '.join(names)};", [*map(dg.EnumValue, names)])
    given = {
        "source": (dg.Noneable(sources), "The source; all of them without one."),
        "table": (dg.Noneable(str), "The table; all of them without one."),
        "months": (str, "2024-01, or 2019-01...2024-12; every month that there is without one."),
        "ask_sources": (
            bool,
            "Ask the sources what has changed: up to a request for each address of each month.",
        ),
    }
    return {
        name: dg.Field(kind, default_value=_DEFAULT[name], description=text)
        for name, (kind, text) in given.items()
    }


def _chosen(tables: Sequence[Plannable], source: str | None, name: str | None) -> list[Plannable]:
    """Return the tables that the config names.

    Raises:
        ValueError: there is none of that name; it says which there are.
    """
    found = [each for each in tables if source in (None, each.table.source)]
    if name is None:
        return found
    if chosen := [each for each in found if each.table.name == name]:
        return chosen
    there = ", ".join(sorted(each.table.name for each in found))
    raise ValueError(f"table {name!r} is none of {source or 'any source'}: there are {there}")
