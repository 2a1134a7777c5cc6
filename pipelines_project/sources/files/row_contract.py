"""The schema contract of rows: what a month may have that the table did not have before."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.files.columns import Column
from pipelines_project.sources.files.settings import PROVENANCE
from pipelines_project.sql_text import quoted

_TYPES = {
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "decimal": "DECIMAL",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
    "binary": "BLOB",
}
# What holds the values of another type as they are.
_WIDER = {"BIGINT": {"DOUBLE", "DECIMAL"}, "DATE": {"TIMESTAMP"}}
_INTEGER = "'-?(0|[1-9][0-9]*)'"
_BROKEN = {
    "BIGINT": f"not regexp_full_match({{x}}, {_INTEGER}) or try_cast({{x}} as bigint) is null",
    "DOUBLE": "try_cast({x} as double) is null",
    "DECIMAL": "try_cast({x} as double) is null",
    "BOOLEAN": "{x} not in ('true', 'false')",
    "DATE": "try_cast({x} as date) is null or strlen({x}) > 10",
    "TIMESTAMP": "try_cast({x} as timestamp) is null",
    "TIME": "try_cast({x} as time) is null",
    "BLOB": "true",
}


class Change(NamedTuple):
    """What a column brings: a text that says it, the column, and the SQL of the rows that do."""

    text: str
    column: str
    broken: str


def changes(columns: Sequence[Column], vacant: Set[str], before: Mapping[str, str]) -> list[Change]:
    """Return how a month's columns go beyond those of before; none if there were none.

    Args:
        columns: of the month, with their types.
        vacant: the names of those that are null in every row.
        before: the dlt type of each column that the table has.
    """
    have = {
        name: _TYPES.get(kind, "VARCHAR")
        for name, kind in before.items()
        if name not in (*DLT_COLUMNS, *PROVENANCE)
    }
    found = (_change(each, have) for each in columns if have and each.name not in vacant)
    return [change for change in found if change]


def _change(column: Column, have: Mapping[str, str]) -> Change | None:
    name, kind = column.name, (column.type.sql if column.type else "VARCHAR")
    if name not in have:
        broken = f"{quoted(name)} is not null"
        return Change(f"new column {name!r} ({kind})", name, broken)
    short = kind.split("(")[0].removesuffix(" WITH TIME ZONE")
    old = have[name]
    if old in (short, "VARCHAR") or old in _WIDER.get(short, ()):
        return None
    text = f"cast({column.value} as varchar)" if column.read != "VARCHAR" else quoted(name)
    broken = f"{text} is not null and ({_BROKEN[old].replace('{x}', text)})"
    return Change(f"column {name!r} is not {old}, as it was before", name, broken)
