"""The rules that each row of a month must fulfil to land, whatever the contract says."""

from collections.abc import Sequence
from typing import NamedTuple

from pipelines_project.sources.files.month_rows import MonthRows
from pipelines_project.sources.files.text_types import DATE_REASON
from pipelines_project.sql_text import literal, quoted


class Rule(NamedTuple):
    """Which rows do not land: the SQL that is true of them, and that of the reason."""

    broken: str
    reason: str


def rules_of(month: MonthRows) -> list[Rule]:
    """Return what each row must fulfil, apart from the contract."""
    found: list[Rule] = []
    if month.month_of:
        asked = month.reading.settings.month_column
        name = next(c.name for c in month.columns if asked in (c.name, c.source))
        text = f"coalesce('''' || {_short(name)} || '''', 'null')"
        found.append(
            Rule(
                f"{month.month_of} is null",
                f"{text} || {literal(f' in {name} is no {DATE_REASON}')}",
            )
        )
    for each in month.columns:
        if each.type and each.type.declared:
            text = f"'''' || {_short(each.name)} || ''' in '"
            said = literal(f"{each.name} is no {each.type.declared}")
            found.append(Rule(f"not {each.fits}", f"{text} || {said}"))
    return found


def _short(name: str) -> str:
    return f"left(cast({quoted(name)} as varchar), 80)"


def breaks(rules: Sequence[Rule]) -> str:
    """Return the SQL that tells whether a row breaks a rule."""
    broken = " or ".join(f"({rule.broken})" for rule in rules)
    return f"coalesce({broken}, false)" if rules else "false"


def is_bad(month: MonthRows, rules: Sequence[Rule]) -> str:
    """Return the SQL that tells whether a row is of the month or of none, and breaks a rule."""
    mine = f"coalesce({month.is_of_month}, true)"
    return f"({mine} and {breaks(rules)})"
