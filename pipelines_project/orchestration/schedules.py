"""The job `<source>_materialize`, and the schedules and rules by which it is run for tables."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import dagster as dg

from pipelines_project.orchestration.resting import reason_to_rest, table_tag
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.table import Table


def materialize_job_name(source: str) -> str:
    """Return the name of the job that schedules and sensors of the source run."""
    return f"{source}_materialize"


def schedules(source: str, tables: Sequence[Table]) -> list[dg.ScheduleDefinition]:
    """Return the schedules of the source's tables; all are off at first.

    Tables that have the source's cron share `<source>_materialize_schedule`. A table with a cron of
    its own has `<source>_<table>_materialize_schedule`, a name that stays when others are added.
    """
    shared: dict[str, list[Table]] = defaultdict(list)
    named: dict[str, tuple[str, list[Table]]] = {}
    for table in tables:
        if table.timing.cron is None:
            continue
        if table.timing.has_own_cron:
            named[f"{source}_{table.name}"] = table.timing.cron, [table]
        else:
            shared[table.timing.cron].append(table)
    for cron, of_cron in shared.items():
        name = f"{source}_{of_cron[0].name}" if source in named else source
        named[name] = cron, of_cron
    return [
        _schedule(name, source, cron, of_cron, is_whole=len(of_cron) == len(tables))
        for name, (cron, of_cron) in named.items()
    ]


def _schedule(
    name: str, source: str, cron: str, tables: Sequence[Table], *, is_whole: bool
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{name}_materialize_schedule",
        job_name=materialize_job_name(source),
        cron_schedule=cron,
        description="Land the current month again, and in its first days the one before"
        + ("." if is_whole else f": {', '.join(table.name for table in tables)}."),
    )
    def schedule(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        moment = context.scheduled_execution_time
        resting = {table.name: reason_to_rest(context, table, moment) for table in tables}
        due = [table for table in tables if not resting[table.name]]
        said = [f"{name}: {reason}" for name, reason in resting.items() if reason]
        for reason in said:
            context.log.warning(reason)
        requests = [*_requests(due, moment, is_whole=is_whole and not said)]
        yield from requests or [dg.SkipReason("; ".join(said) or "no month is due")]

    return schedule


def _requests(
    tables: Sequence[Table], moment: datetime, *, is_whole: bool
) -> Iterator[dg.RunRequest]:
    """Yield a run for each month that is due, of all tables that can share it.

    A table whose failures are counted has runs of its own, because a run fails as a whole.
    """
    groups: dict[tuple[str, int, str], list[Table]] = defaultdict(list)
    for table in tables:
        own = table.name if table.timing.failures_before_pause else ""
        for month in table.timing.months_due(moment):
            if month >= table.start_month:
                groups[month, table.timing.priority, own].append(table)
    for (month, priority, own), of_group in sorted(groups.items()):
        apart = [str(priority), own] if priority or own else []
        takes_all = is_whole and len(of_group) == len(tables)
        yield dg.RunRequest(
            run_key=" ".join([month, moment.isoformat(), *apart]),
            partition_key=month,
            asset_selection=None if takes_all else keys_of(of_group),
            tags=tags_of(of_group),
        )


def keys_of(tables: Iterable[Table]) -> list[dg.AssetKey]:
    """Return the keys of the tables' assets, for a run that takes some of the job's only."""
    return [key for table in tables for key in (landing_key(table), warehouse_key(table))]


def tags_of(tables: Sequence[Table]) -> dict[str, str]:
    """Return the tags of a run of the tables, which have one priority."""
    priority = tables[0].timing.priority
    return {
        **({"dagster/priority": str(priority)} if priority else {}),
        **(table_tag(tables[0]) if len(tables) == 1 else {}),
    }
