"""Runs of Freshdesk, with several months in flight each, use up one limit and never go over it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines_project.components import freshdesk
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_start
from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.document_location import document_location
from pipelines_project_tests.help_desks import ticket
from pipelines_project_tests.metered import Meter, included_credits

_MONTHS = [f"2024-{number:02d}" for number in range(1, 7)]
_TICKETS = 550
_MINUTE = 60.0
_WINDOW = 6.0


def _help_desk() -> StoredHelpDesk:
    """Six pages of tickets a month, whose ids have nothing to do with the order of the changes."""
    tickets = [
        ticket(n * 7 % _TICKETS + 1_000 * number, month_start(month) + timedelta(hours=n))
        for number, month in enumerate(_MONTHS)
        for n in range(_TICKETS)
    ]
    return StoredHelpDesk({"tickets": tickets}, datetime(2025, 1, 1, tzinfo=UTC))


def _land(folder: Path, url: str, at_once: int, window: float) -> None:
    """Land the tickets of a help desk whose minute takes so many seconds."""
    document = f"""
type: pipelines_project.components.FreshdeskSource
attributes:
  domain: acme
  api_url: {url}/api/v2
  start_month: "2024-01"
  months_at_once: {at_once}
  rate_limit_reserve: 0
"""
    with pytest.MonkeyPatch.context() as patch, document_location(folder, document) as location:
        patch.setenv("FRESHDESK_API_KEY", KEY)
        patch.setattr(freshdesk, "RateLimit", partial(freshdesk.RateLimit, window_seconds=window))
        run = location.materialize(f"{_MONTHS[0]}...{_MONTHS[-1]}", "landing/freshdesk/tickets")
        assert run.result.success, run.error


def _rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each month in the order in which they lie in its files."""
    zone = LandingZone(str(folder / "landing"))
    found: dict[str, list[dict[str, Any]]] = {}
    for month in _MONTHS:
        load = zone.month("freshdesk", "tickets", month).current_files()
        assert load
        tables: Any = [pq.read_table(path) for path in load.files]
        found[month] = [
            {name: value for name, value in row.items() if not name.startswith("_dlt_")}
            for table in tables
            for row in table.to_pylist()
        ]
    return found


def _used(meter: Meter) -> float:
    """Return how much of a minute's rate such runs use, however slow the machine is.

    A credit can be used again a window after it was used. What is between is lost of each window,
    of a minute as of these few seconds: the latency, and what the machine takes. A credit that is
    not used again for another window is lost altogether.
    """
    pairs = zip(meter.arrived, meter.arrived[meter.allowed :], strict=False)
    gaps = [after - before for before, after in pairs]
    used_again = sum(gap < 2 * meter.window for gap in gaps) / len(gaps)
    return used_again * _MINUTE / (_MINUTE + median(gaps) - meter.window)


@pytest.mark.stack
@pytest.mark.long
def test_two_runs_of_freshdesk_use_95_percent_of_one_limit_at_300_ms_and_are_never_refused(
    tmp_path: Path,
) -> None:
    """Two processes of six months each at once could ask 240 times in six seconds, not 24."""
    meter = Meter(latency=0.3, allowed=168, window=_WINDOW, cost=included_credits, tells=True)
    land = (
        "import sys; from pathlib import Path\n"
        f"from {__name__} import _land\n"
        f"_land(Path(sys.argv[1]), sys.argv[2], 6, {_WINDOW})\n"
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    with serving(meter.over(freshdesk_app(_help_desk()))) as url:
        runs = [subprocess.Popen([sys.executable, "-c", land, at, url]) for at in folders]
        assert [run.wait() for run in runs] == [0, 0]

    assert meter.refused == 0
    assert meter.most_in_a_window() <= meter.allowed
    assert _used(meter) >= 0.95
    with serving(freshdesk_app(_help_desk())) as url:
        _land(tmp_path / "serial", url, 1, _MINUTE)
    serial = _rows(tmp_path / "serial")
    assert [len({row["id"] for row in serial[month]}) for month in _MONTHS] == 6 * [_TICKETS]
    assert _rows(folders[0]) == _rows(folders[1]) == serial
