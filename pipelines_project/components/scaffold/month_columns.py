"""Which column of dates may tell the month of a row for good."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines_project.components.scaffold.table_names import words

# How words begin that tell of a date which is set once, when the row comes to be.
_FIRST = re.compile(
    r"(?:creat|insert|add|plac|order|occur|happen|event|book|post|record|receiv|regist|issu|submit"
    r"|log|paid|sold|transact|timestamp)"
)
# The same of one that changes later, or lies in another month than what the row is about.
_LATER = re.compile(
    r"(?:updat|modif|chang|delet|expir|birth|born|dob|due|last|valid|until|end|clos|cancel|sync"
    r"|refresh|seen|start|schedul|plan)"
)
_ENDINGS = ("at", "on", "date", "time", "day", "datetime", "timestamp")


@dataclass(frozen=True)
class DateColumn:
    """A column of dates or timestamps, and whether rows may lack it."""

    name: str
    nullable: bool = False


def month_column(columns: Sequence[DateColumn]) -> tuple[str | None, list[str]]:
    """Return the column to take, if one is good, and comments on the choice."""
    if not columns:
        return None, ["A snapshot: no column has dates or timestamps."]
    good = [each for each in columns if not each.nullable and not changes_later(each.name)]
    if not good:
        listed = ", ".join(map(_told, columns))
        return None, [
            f"A snapshot, unless a column tells the month of a row: {listed}. "
            "Then add it as month_column."
        ]
    chosen = next((each for each in good if any(map(_FIRST.match, words(each.name)))), good[0])
    others = [each for each in columns if each is not chosen]
    if not others:
        return chosen.name, []
    listed = ", ".join(map(_told, others))
    return chosen.name, [f"month_column: {chosen.name} is a guess; there are also {listed}."]


def is_date(name: str) -> bool:
    """Tell whether a column is called like one of dates, such as `created_at` or `orderDate`."""
    return (words(name) or [""])[-1] in _ENDINGS


def changes_later(name: str) -> bool:
    """Tell whether a date is called like one that is not set once, such as `updated_at`."""
    return any(map(_LATER.match, words(name)))


def _told(column: DateColumn) -> str:
    if column.nullable:
        return f"{column.name} (can be null: such rows belong to no month)"
    return f"{column.name} (changes later)" if changes_later(column.name) else column.name
