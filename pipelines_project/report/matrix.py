"""The matrix: a line for each table, a cell for each month, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines_project.report.months import URGENT, MonthState, State
from pipelines_project.report.shown import MartReport, Report, TableReport

# What a browser shows of a text under the pointer; the whole is in the list of concerns.
_CHARACTERS = 300


@dataclass(frozen=True)
class Cell:
    """A month of a table.

    Attributes:
        css: the class of its colour.
        text: its rows, or what is wrong.
        at: when it was landed, in seconds since 1970.
        title: what is shown under the pointer.
    """

    css: str
    text: str
    at: float | None = None
    title: str = ""


@dataclass(frozen=True)
class Line:
    """A table, with a cell for each month of the matrix."""

    table: TableReport
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Group:
    """A source, with its tables and marts."""

    source: str
    lines: Sequence[Line]
    marts: Sequence[MartReport]


def matrix_months(report: Report) -> list[str]:
    """Return the months of the matrix, the newest first."""
    return sorted({month for table in report.tables for month in table.months}, reverse=True)


def matrix(report: Report) -> list[Group]:
    """Return a group for each source."""
    months = matrix_months(report)
    lines = [Line(table, [_cell(table, month) for month in months]) for table in report.tables]
    of_source = {
        source: [*each] for source, each in groupby(lines, lambda line: line.table.table.source)
    }
    marts = {
        source: [*each] for source, each in groupby(report.marts, lambda mart: mart.mart.source)
    }
    return [
        Group(source, of_source.get(source, []), marts.get(source, []))
        for source in sorted({*of_source, *marts})
    ]


def css_class(state: State) -> str:
    """Return the class that gives a state its colour."""
    return state.value.replace(" ", "-")


def in_short(rows: int) -> str:
    """Return a number of rows in at most five characters."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if rows >= size:
            shown = rows / (1000 if unit == "k" else size)
            return f"{shown:.1f}{unit}" if shown < 10 else f"{shown:.0f}{unit}"
    return str(rows)


def _cell(table: TableReport, month: str) -> Cell:
    found = table.months.get(month, MonthState(State.NONE, why="before the first month landed"))
    rows = "" if found.rows is None else f"{found.rows:,} rows"
    said = [f"{table.relation.full_name} {month}: {found.state.value}", rows, found.why]
    title = "\n".join(filter(None, said))[:_CHARACTERS]
    text = "" if found.rows is None else in_short(found.rows)
    if found.state in URGENT:
        text = found.state.value
    return Cell(css_class(found.state), text or "·", found.at, title)
