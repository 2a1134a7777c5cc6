"""The partition of every asset: one calendar month in UTC, written `YYYY-MM`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

KEY_FORMAT = "%Y-%m"
# Dagster counts months from the first to the current one, and cannot in the years 1 and 9999.
_KEY = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
_PLACEHOLDER = re.compile(r"\{month([.][^{}:]*)?(?::([^{}]*))?\}")


def checked_month(month: str) -> str:
    """Return the month if it is a partition key.

    Raises:
        ValueError: for anything but `YYYY-MM`; it quotes what was given.
    """
    if not _KEY.fullmatch(month):
        raise ValueError(f"{month[:80]!r} is not a month: write YYYY-MM, for example 2023-01")
    return month


def month_of(moment: datetime) -> str:
    """Return the month that the moment lies in, in UTC."""
    return moment.astimezone(UTC).strftime(KEY_FORMAT)


def month_start(month: str) -> datetime:
    """Return the first instant of the month."""
    return datetime.strptime(checked_month(month), KEY_FORMAT).replace(tzinfo=UTC)


def next_month(month: str) -> str:
    """Return the month after."""
    start = month_start(month)
    return f"{start.year + start.month // 12:04d}-{start.month % 12 + 1:02d}"


def previous_month(month: str) -> str:
    """Return the month before."""
    start = month_start(month)
    return f"{start.year - (start.month == 1):04d}-{(start.month - 2) % 12 + 1:02d}"


def months_before(month: str, count: int) -> list[str]:
    """Return so many months before the month, the latest first."""
    found: list[str] = []
    for _ in range(count):
        month = previous_month(month)
        found.append(month)
    return found


def months_between(first: str, last: str) -> list[str]:
    """Return the months from the first to the last, both included; none if that is before it."""
    found: list[str] = []
    while first <= last:
        found.append(first)
        first = next_month(first)
    return found


def named_months(text: str) -> list[str]:
    """Return the months that a text names: one, or the first and last as `2019-01...2024-12`.

    Raises:
        ValueError: it names none; it quotes what was given.
    """
    first, _, last = text.partition("...")
    month, end = checked_month(first), checked_month(last or first)
    if month > end:
        raise ValueError(f"{first} is later than {last}")
    return months_between(month, end)


def months_in_flux(now: datetime) -> list[str]:
    """Return the months that a scheduled run lands again.

    That is the current month and, on its first three days, the one before: an API may publish
    what happened at a month's end only later (chess.com refreshes its answers at most every
    twelve hours, PubAPI documentation).
    """
    this = month_of(now)
    return [previous_month(this), this] if now.astimezone(UTC).day <= 3 else [this]


def stretches(months: Iterable[str]) -> list[tuple[str, str]]:
    """Return the first and last month of every unbroken stretch of the months, in order."""
    found: list[tuple[str, str]] = []
    for month in sorted(months):
        if found and next_month(found[-1][1]) == month:
            found[-1] = (found[-1][0], month)
        else:
            found.append((month, month))
    return found


def month_window(text: str, month: str) -> str:
    """Return the text with the month's bounds in place of `{month.start}` and `{month.end}`.

    Both are ISO dates, and the end is the first day of the next month. After a colon comes another
    format, as `strftime` takes it, in UTC: `{month.start:%Y%m%d}`, and `%s` for seconds since 1970.
    Other braces stay as they are.

    Raises:
        ValueError: the text names something else of the month; it quotes that.
    """
    bounds = {".start": month_start(month), ".end": month_start(next_month(month))}

    def bound(match: re.Match[str]) -> str:
        name, template = match.groups()
        if name not in bounds:
            raise ValueError(f"{match[0]} is not known: write {{month.start}} or {{month.end}}")
        moment = bounds[name]
        seconds = str(int(moment.timestamp()))
        return moment.strftime((template or "%Y-%m-%d").replace("%s", seconds))

    return _PLACEHOLDER.sub(bound, text)


def names_month(text: str) -> bool:
    """Tell whether the text has a placeholder for one of the month's bounds."""
    return _PLACEHOLDER.search(text) is not None


def in_words(months: Iterable[str], to: str = "...") -> str:
    """Return months as a text, those that follow each other by their first and their last.

    Args:
        months: in any order.
        to: what stands between the two; by default as `named_months` reads them.
    """
    found = stretches(months)
    return ", ".join(first if first == last else f"{first}{to}{last}" for first, last in found)
