"""What landing each month of a table would find: nothing, a failure, changed rows, or the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pipelines_project.landing.ask_source import Asker
from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.landed_month import Load
from pipelines_project.months import month_of
from pipelines_project.report.history import Failure
from pipelines_project.table import Table


class State(StrEnum):
    """What landing a month would find, the worst first."""

    FAILED = "failed"
    DAMAGED = "damaged"
    MISSING = "missing"
    CHANGED = "changed at the source"
    OLD = "current month, old"
    UNKNOWN = "landed, not known to have changed"
    UNCHANGED = "unchanged at the source"
    NOTHING = "nothing to land"


NEEDED = (State.FAILED, State.DAMAGED, State.MISSING, State.CHANGED, State.OLD)
"""What there is a reason to land."""


@dataclass
class LandingLook:
    """A look at the months of one table.

    Attributes:
        table: the table.
        found: the current load of each month, what is wrong with it, or None.
        failed: the months whose newest run has failed.
        asker: what asks the source; None to ask nothing.
        trouble: why the source could not be asked, once that is known; it is asked no more then.
    """

    table: Table
    found: Mapping[str, Load | str | None]
    failed: Mapping[str, Failure]
    asker: Asker | None
    trouble: str = ""

    def at(self, month: str) -> tuple[State, str]:
        """Return what landing the month would find, and what there is to say of it."""
        load = self.found[month]
        if reason := self.table.reason_to_skip(month):
            return State.NOTHING, reason
        if failure := self.failed.get(month):
            return State.FAILED, f"run {failure.run_id[:8]}: {_reason(failure)}"
        if isinstance(load, str):
            return State.DAMAGED, load
        if load is None:
            return State.MISSING, ""
        changed = self._has_changed(month, load)
        if changed is not None:
            return (State.CHANGED if changed else State.UNCHANGED), ""
        now, landed_at = datetime.now(UTC), datetime.fromtimestamp(float(load.load_id), UTC)
        if month == month_of(now) and now - landed_at > self.table.fresh_within:
            return State.OLD, f"landed {landed_at:%Y-%m-%d %H:%M} UTC"
        return State.UNKNOWN, ""

    def _has_changed(self, month: str, load: Load) -> bool | None:
        if self.asker is None or self.trouble:
            return None
        try:
            return self.asker(month, load.record.fetched)
        except Exception as error:
            cause = root_cause(error)
            self.trouble = f"{type(cause).__name__}: {cause}"
            return None


def _reason(failure: Failure) -> str:
    """Return the line that says why; the others name the asset, and what to do."""
    lines = failure.text.splitlines() or [failure.kind]
    return next((line.removeprefix("- ") for line in lines if line.startswith("- ")), lines[0])
