"""What became of each month of a table: landed, loaded, missing, failed or damaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import months_between
from pipelines_project.report.history import AssetHistory, Check
from pipelines_project.table import Table
from pipelines_project.warehouse.ledger import HeldLoad


class State(StrEnum):
    """What became of a month, the worst first."""

    FAILED = "failed"
    DAMAGED = "damaged"
    MISSING = "missing"
    NOT_LOADED = "not loaded"
    CHECK_FAILS = "check fails"
    EMPTY = "empty"
    WHOLE = "whole"
    NONE = "none"


URGENT = (State.FAILED, State.DAMAGED, State.MISSING, State.NOT_LOADED, State.CHECK_FAILS)


@dataclass(frozen=True)
class MonthState:
    """A month of a table as it is now.

    Attributes:
        state: what became of it.
        rows: how many are landed, if any load can be read.
        at: when it was landed, in seconds since 1970.
        why: what there is to say of the state.
    """

    state: State
    rows: int | None = None
    at: float | None = None
    why: str = ""


def landed_months(zone: LandingZone, table: Table) -> dict[str, LoadRecord | str]:
    """Return the record of each landed month's current load, or what is wrong with the load."""
    loads = zone.current_loads(table.source, table.name)
    return {m: found if isinstance(found, str) else found.record for m, found in loads.items()}


def month_states(
    table: Table,
    landed: Mapping[str, LoadRecord | str],
    held: Mapping[str, HeldLoad],
    landing: AssetHistory,
    loading: AssetHistory,
    this_month: str,
) -> dict[str, MonthState]:
    """Return what became of each month, from the first that was landed or has failed to this one.

    Args:
        table: the table.
        landed: by month, what is landed.
        held: by month, what the warehouse holds.
        landing: the history of the asset that lands it.
        loading: that of the asset that loads it.
        this_month: the current month.
    """
    known = [*landed, *landing.failed, *loading.failed, this_month]
    first, newest = max(min(known), min(table.start_month, this_month)), max([*landed, ""])
    found: dict[str, MonthState] = {}
    for month in months_between(first, this_month):
        is_past = table.is_snapshot and month != newest
        state = _landed_state(landed.get(month), held.get(month), table, is_past=is_past)
        if state.state is State.MISSING and (
            why := _not_expected(table, month, newest, this_month)
        ):
            state = MonthState(State.NONE, why=why)
        found[month] = _with_history(state, month, landing, loading)
    return found


def _not_expected(table: Table, month: str, newest: str, this_month: str) -> str:
    """Return why nothing need be landed of a month, or "" if something should be."""
    if table.is_snapshot and month != this_month:
        return "no snapshot was taken"
    if month > newest and (table.timing.paused or not table.timing.cron):
        return "no schedule lands it"
    return ""


def _landed_state(
    landed: LoadRecord | str | None, held: HeldLoad | None, table: Table, *, is_past: bool
) -> MonthState:
    if landed is None:
        return MonthState(State.MISSING, why="nothing is landed")
    if isinstance(landed, str):
        return MonthState(State.DAMAGED, why=landed)
    rows, at = landed.rows_of(table.name), float(landed.load_id)
    if not is_past and not _is_loaded(landed, held):
        why = "the warehouse holds an older load" if held else "the warehouse does not hold it"
        return MonthState(State.NOT_LOADED, rows, at, why)
    return MonthState(State.WHOLE if rows else State.EMPTY, rows, at)


def _is_loaded(landed: LoadRecord, held: HeldLoad | None) -> bool:
    if held is None:
        return False
    is_same = landed.content is not None and held.content_hash == landed.content
    return is_same or held.load_id == landed.load_id


def _with_history(
    state: MonthState, month: str, landing: AssetHistory, loading: AssetHistory
) -> MonthState:
    """Return the state with what is known of runs and checks, if that is worse."""
    for what, history in (("landing", landing), ("loading", loading)):
        if failure := history.failed.get(month):
            return MonthState(State.FAILED, state.rows, state.at, failure.told(what))
    if state.state in URGENT:
        return state
    checks: list[Check] = [*landing.checks, *loading.checks]
    if failing := [check.name for check in checks if not check.passed and month in check.months]:
        why = f"does not hold: {', '.join(failing)}"
        return MonthState(State.CHECK_FAILS, state.rows, state.at, why)
    return state
