"""A plan as lines to read: a table's months by what becomes of them, what that takes, commands."""

from collections.abc import Iterator

from pipelines_project.months import in_words
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.past_costs import Cost
from pipelines_project.orchestration.plan import TablePlan
from pipelines_project.orchestration.plan_landing import NEEDED, State
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key

_NOT_LOADED = "landed, not loaded"
_WIDTH = max(map(len, [*State, _NOT_LOADED])) + 2


def plan_lines(plan: TablePlan) -> Iterator[str]:
    """Yield what there is to say of a table."""
    table = plan.selected.table
    yield f"{table.source}/{table.name}"
    for (state, why), months in alike(plan).items():
        yield f"  {state:<{_WIDTH}}{len(months):>4}  {in_words(months)}"
        if why:
            yield f"  {'':<{_WIDTH + 4}}  {why}"
    yield from totals(plan)
    yield from commands(plan)


def alike(plan: TablePlan) -> dict[tuple[str, str], list[str]]:
    """Return the months that have the same to say, the worst first."""
    found: dict[tuple[str, str], list[str]] = {}
    for state in State:
        for month, each in plan.months.items():
            if each.state is state:
                found.setdefault((state, each.why), []).append(month)
    if unloaded := _unloaded(plan):
        found[_NOT_LOADED, ""] = unloaded
    return found


def _unloaded(plan: TablePlan) -> list[str]:
    return [month for month, each in plan.months.items() if each.is_loaded is False]


def totals(plan: TablePlan) -> Iterator[str]:
    """Yield what a backfill of all the months would take, and what it would delete."""
    if plan.trouble:
        yield f"  The source could not be asked what has changed: {plan.trouble}"
    lands = [each for each in plan.months.values() if each.lands]
    if not lands:
        return
    cost = sum((each.cost for each in lands), Cost())
    if plan.measured:
        requests = f"{cost.requests:.0f} requests, " if cost.requests else ""
        told = f"about {requests}{in_minutes(cost.seconds)} and {in_bytes(cost.bytes)}"
        yield f"  To land {len(lands)} months: {told}, as {plan.measured} months took before"
    else:
        yield f"  To land {len(lands)} months: no month was landed before that tells what it takes"
    files = [size for each in lands for size in each.deleted.values()]
    if files:
        yield f"  Deleted once they are landed: {len(files)} files, {in_bytes(sum(files))}"


def commands(plan: TablePlan) -> Iterator[str]:
    """Yield the commands for what there is a reason to do, if that is not all of it."""
    selected = plan.selected
    one_run = not selected.table.months_per_run
    needed = [month for month, each in plan.months.items() if each.state in NEEDED]
    if needed:
        yield "  To land what is missing, has failed or has changed, and what is made of it:"
        yield materialize_commands(landing_key(selected.table), needed, one_run=one_run)
    if unloaded := [month for month in _unloaded(plan) if month not in needed]:
        yield "  To load what is landed and not loaded:"
        yield materialize_commands(warehouse_key(selected.table), unloaded, one_run=one_run)


def in_minutes(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def in_bytes(count: float) -> str:
    """Return a size in words."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
