"""Plans as Markdown, which Dagster's pages show: one table, then what it takes and the commands."""

from collections.abc import Iterator, Sequence

from pipelines_project.months import in_words
from pipelines_project.orchestration.plan import TablePlan
from pipelines_project.orchestration.plan_text import alike, commands, totals

_HEAD = ("table", "a backfill would find", "months", "which", "why")


def plan_markdown(plans: Sequence[TablePlan]) -> str:
    """Return all there is to say of the tables."""
    if not plans:
        return "No table that is landed or loaded is selected."
    rows = [row for plan in plans for row in _rows(plan)]
    lines = [_line(_HEAD), _line(["---"] * len(_HEAD)), *map(_line, rows)]
    for plan in plans:
        lines += _notes(plan)
    return "\n".join(lines)


def _rows(plan: TablePlan) -> Iterator[Sequence[str]]:
    table = plan.selected.table
    for (state, why), months in alike(plan).items():
        yield (f"{table.source}/{table.name}", state, str(len(months)), in_words(months), why)


def _notes(plan: TablePlan) -> Iterator[str]:
    """Yield what there is to say of a table below the table of states."""
    said, printed = [*totals(plan)], [*commands(plan)]
    if not said and not printed:
        return
    yield f"\n**{plan.selected.table.source}/{plan.selected.table.name}**\n"
    yield from (f"- {each.strip()}" for each in said)
    if printed:
        yield "\n".join(["\n```", *printed, "```"])


def _line(cells: Sequence[str]) -> str:
    """Return a line of the table; a line break or a bar would end the cell."""
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |"
