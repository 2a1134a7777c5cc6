"""The rule that a re-run may not take away most of a month by accident."""

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.land_month import Details, NewLoad

ALLOW = "If that is right, land the month with the run config allow_shrink: true"


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


def accept(_: NewLoad) -> Details:
    """Accept a load as it is, for sources whose months shrink by nature."""
    return {}
