"""What needs a look: months, marts and checks that are not as they should be, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pipelines_project.months import in_words
from pipelines_project.report.months import URGENT, State
from pipelines_project.report.shown import MartReport, Report, TableReport

shown_months = partial(in_words, to=" … ")
"""Months as the page shows them."""


@dataclass(frozen=True)
class Concern:
    """One of them.

    Attributes:
        state: what is the matter.
        where: the table or mart.
        months: which of its months; "" if it is not about months.
        why: what there is to say.
    """

    state: State
    where: str
    months: str = ""
    why: str = ""


def concerns(report: Report) -> list[Concern]:
    """Return all that need a look."""
    of_tables = (each for table in report.tables for each in _of_table(table))
    of_marts = (each for mart in report.marts for each in _of_mart(mart))
    return sorted([*of_tables, *of_marts], key=lambda each: URGENT.index(each.state))


def _of_table(table: TableReport) -> Iterator[Concern]:
    alike: dict[tuple[State, str], list[str]] = {}
    for month, each in table.months.items():
        if each.state in URGENT:
            alike.setdefault((each.state, each.why), []).append(month)
    for (state, why), months in alike.items():
        yield Concern(state, table.relation.full_name, shown_months(months), why)
    for check in (*table.landing.checks, *table.loading.checks):
        if not check.passed and not check.months:
            yield Concern(State.CHECK_FAILS, table.relation.full_name, why=check.name)


def _of_mart(mart: MartReport) -> Iterator[Concern]:
    if mart.problem:
        yield Concern(State.FAILED, mart.relation.full_name, why=mart.problem)
    alike: dict[str, list[str]] = {}
    for month, failure in mart.history.failed.items():
        alike.setdefault(failure.told("building"), []).append(month)
    for why, months in alike.items():
        yield Concern(
            State.FAILED, mart.relation.full_name, shown_months([*filter(None, months)]), why
        )
    for check in mart.history.checks:
        if not check.passed:
            months = shown_months(check.months)
            yield Concern(State.CHECK_FAILS, mart.relation.full_name, months, check.name)
