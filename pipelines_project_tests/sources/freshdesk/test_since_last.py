"""An hourly chain of fetchings of what changed lands what one whole fetching does."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.lists import changed_rows
from pipelines_project.sources.freshdesk.since_last import MonthsOfTable
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project_tests.help_desks import FEBRUARY, JANUARY, asking, text, ticket
from pipelines_project_tests.landings import rows_of

pytestmark = pytest.mark.stack

MONTH = "2024-01"


def _land(
    zone: LandingZone, api: FreshdeskApi, now: datetime, table: str = "tickets", **options: Any
) -> Landed:
    months = MonthsOfTable(table, api, ApiCalls(began_at=now), changed_rows(table, api), **options)
    place = zone.month("freshdesk", table, MONTH)
    return land_month(place, months, accept, land_unchanged=False)


def _rows(zone: LandingZone, table: str = "tickets") -> list[tuple[Any, ...]]:
    load = zone.month("freshdesk", table, MONTH).current_files()
    newest: dict[int, dict[str, Any]] = {}
    for row in rows_of(zone, load):
        newest[row["id"]] = row
    return sorted(
        (row["id"], row["subject"], row["spam"], row["deleted"]) for row in newest.values()
    )


def _change(desk: StoredHelpDesk, chosen: random.Random, now: datetime) -> None:
    """Change a ticket as people do: write to it, mark it as spam, delete it, or take that back."""
    number = chosen.randrange(40)
    state = chosen.choice(
        [{}, {"spam": True}, {"deleted": True}, {"spam": False, "deleted": False}]
    )
    if number not in {row["id"] for row in desk.rows("tickets") or []}:
        desk.rows("tickets").append(ticket(number, now))  # type: ignore[union-attr]
    desk.change("tickets", number, subject=f"at {now}", updated_at=text(now), **state)


def test_an_hourly_chain_of_changes_lands_what_one_whole_fetching_does(tmp_path: Any) -> None:
    chosen, desk = random.Random(4), StoredHelpDesk({"tickets": []}, FEBRUARY)
    hourly, whole = (LandingZone(url=str(tmp_path / name)) for name in ("hourly", "whole"))
    now = JANUARY + timedelta(days=2)
    with asking(desk) as api:
        for _ in range(20):
            for _ in range(10):
                now += timedelta(minutes=chosen.randrange(1, 12))
                _change(desk, chosen, now)
            _land(hourly, api, now)
        _land(whole, api, now, since_last=False)

    assert _rows(hourly) == _rows(whole)
    assert {row[2:] for row in _rows(whole)} >= {(False, False), (True, False), (False, True)}


def test_the_requests_of_an_hour_grow_with_what_changed_and_not_with_the_month(
    landing: LandingZone,
) -> None:
    first = JANUARY + timedelta(days=2)
    tickets = [ticket(number, first + timedelta(seconds=number)) for number in range(1000)]
    desk, faults = StoredHelpDesk({"tickets": tickets}, FEBRUARY), Faults()
    with asking(desk, faults=faults) as api:
        _land(landing, api, first + timedelta(hours=1))
        asked = len(faults.requests)
        desk.change("tickets", 7, updated_at=text(first + timedelta(hours=2)), subject="new")
        landed = _land(landing, api, first + timedelta(hours=3))

    assert (asked, len(faults.requests) - asked) == (13, 3)
    assert (landed.rows, landed.details["rows_changed"]) == (1000, 1)
    assert (7, "new", False, False) in _rows(landing)


@pytest.mark.parametrize(
    ("now", "options"),
    [(FEBRUARY + timedelta(hours=1), {}), (FEBRUARY - timedelta(hours=1), {"since_last": False})],
)
def test_a_closed_month_and_refetch_all_fetch_the_whole_month(
    landing: LandingZone, now: datetime, options: dict[str, Any]
) -> None:
    desk = StoredHelpDesk({"tickets": [ticket(1, JANUARY), ticket(2, JANUARY)]}, FEBRUARY)
    with asking(desk) as api:
        _land(landing, api, JANUARY + timedelta(days=3))
        landed = _land(landing, api, now, **options)

    assert landed.rows == 2
    assert "rows_changed" not in landed.details
    assert not landed.not_modified


def test_an_hour_without_changes_keeps_the_load(landing: LandingZone) -> None:
    desk = StoredHelpDesk({"tickets": [ticket(1, JANUARY)]}, FEBRUARY)
    with asking(desk) as api:
        first = _land(landing, api, JANUARY + timedelta(days=3))
        again = _land(landing, api, JANUARY + timedelta(days=4))

    assert (again.not_modified, again.load_id) == (True, first.load_id)
