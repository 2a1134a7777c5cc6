"""The partition of every asset: one calendar month in UTC, written `YYYY-MM`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

KEY_FORMAT = "%Y-%m"
# Dagster counts months from the first to the current one, and cannot in the years 1 and 9999.
_KEY = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")


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
