"""Load ids are times: what is done where a clock is behind the one that named the current load."""

import time
from datetime import UTC, datetime

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth

CLOCK_WAIT_SECONDS = 5.0
DISCARD = "discard_load_id:"
"""What the run config of delete_stale_files says before the id of a load that is to go."""


def wait_for_clock(month: LandedMonth, current: str | None) -> None:
    """Wait until a new load id would be later than the current one's.

    A machine whose clock is behind would land a load that nobody reads.

    Raises:
        LandingError: that would take longer than `CLOCK_WAIT_SECONDS`; it names both clocks.
    """
    ahead = float(current or 0) - time.time()
    if ahead > CLOCK_WAIT_SECONDS:
        raise LandingError(
            f"the current load {current} of {month} was landed at "
            f"{_clock(float(current or 0))} by the clock of its machine, and this machine's "
            f"clock says {_clock(time.time())}. Set the clock that is wrong; if it was the "
            f"other one, delete that load with the run config {DISCARD} '{current}' of the job "
            f"{month.source}_delete_stale_files"
        )
    if ahead >= 0:
        time.sleep(ahead + 0.001)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
