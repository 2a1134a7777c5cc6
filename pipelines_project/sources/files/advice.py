"""What to set where rows of files are refused, told by the reasons why they are."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from pipelines_project.sources.files.text_types import DATE_REASON

_REASON = re.compile(r"'(?P<value>.*)' in (?P<column>\S+) is no (?P<kind>.*)", re.DOTALL)
_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y")
_TIMES = ("", " %H:%M", " %H:%M:%S")
_DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3}(\.?\d{3})*,\d+|[+-]?\d+,\d+")
_TOO_MANY = re.compile(r"(\d+) fields, not (\d+)")


def advice(reasons: Iterable[str]) -> str:
    """Return what to set so that rows land, a sentence for each column; "" if nothing is known."""
    found: dict[str, str] = {}
    for reason in reasons:
        if match := _REASON.fullmatch(reason):
            said = _about(match["column"], match["value"], match["kind"])
            if said:
                found.setdefault(match["column"], said)
    return "".join(f". {said}" for said in found.values())


def header_advice(reason: str, line: int) -> str:
    """Return what to set where most lines of a file have more fields than its header.

    Args:
        reason: why the first of them is no row.
        line: its number.
    """
    match = _TOO_MANY.fullmatch(reason)
    if not match or int(match[1]) <= int(match[2]):
        return ""
    return (
        f". If the header stands further down, below a title, set start_row: {line}, or the row in "
        "which it is. If fields hold the delimiter, as decimal commas do, they must be in quotes"
    )


def _about(column: str, value: str, kind: str) -> str:
    is_date = kind == DATE_REASON or kind.startswith(("date", "timestamp"))
    if is_date and (form := _form(value)):
        word = "timestamp" if "%H" in form else "date"
        return f"{column} looks like {form}: declare types: {{{column}: '{word}({form})'}}"
    if kind.startswith(("decimal", "double", "bigint")) and _DECIMAL_COMMA.fullmatch(value):
        return (
            f"{column} has a decimal comma: leave it out of types, so that it lands as text, and "
            f"make a number of it in a mart, replace({column}, ',', '.')"
        )
    if is_date:
        return f"If {column} is no date, leave it out of types and month_column"
    return ""


def _form(text: str) -> str:
    """Return how a date or time is written, in the first form that fits it."""
    for form in (f"{day}{time}" for time in _TIMES for day in _DAYS):
        with suppress(ValueError):
            datetime.strptime(text.strip(), form)  # noqa: DTZ007
            return form
    return ""
