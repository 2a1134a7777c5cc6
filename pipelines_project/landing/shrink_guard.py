"""The rule that a re-run may not take away most of a month by accident."""

from dataclasses import replace

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.previous import Previous, previous_load
from pipelines_project.months import previous_month
from pipelines_project.sources.fetch import ALLOW_SHRINK

# How far back an earlier snapshot is looked for.
_MONTHS_BACK = 12

ALLOW = f"If that is right, land the month with the run config {ALLOW_SHRINK}"


def is_shrunk(rows: int, before: int) -> bool:
    """Tell whether a month, or a part of it, has less than half of the rows that it had."""
    return rows < before / 2


def refuse_shrink(new: NewLoad) -> Details:
    """Refuse a load with less than half of the rows of the current one, unless that is allowed.

    Raises:
        LandingError: it has, and `allow_shrink` is not set.
    """
    rows, before = new.rows_of(new.month.table), new.before.rows
    if is_shrunk(rows, before) and not new.allow_shrink:
        raise LandingError(f"{new.month}: {rows} rows came, where {before} are landed. {ALLOW}")
    return {}


def refuse_shrunk_snapshot(new: NewLoad) -> Details:
    """Refuse a snapshot with less than half of the rows of the one before, unless that is allowed.

    The one before is the month's current load or, for a month's first snapshot, the current load of
    an earlier month.

    Raises:
        LandingError: it has, and `allow_shrink` is not set.
    """
    before = new.before if new.before.load_id else _earlier_snapshot(new.month)
    return refuse_shrink(replace(new, before=before))


def _earlier_snapshot(month: LandedMonth) -> Previous:
    """Return the current load of the nearest earlier month that has one."""
    earlier = month
    for _ in range(_MONTHS_BACK):
        earlier = replace(earlier, month=previous_month(earlier.month))
        found = previous_load(earlier)
        if found.load_id:
            return found
    return Previous()


def accept(_: NewLoad) -> Details:
    """Accept a load as it is, for sources whose months shrink by nature."""
    return {}
