"""Tickets are paged through completely, however many and however restless they are."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse

from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.help_desk import Row, StoredHelpDesk
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.pages import updated_at
from pipelines_project.sources.freshdesk.updated_since import UpdatedSince
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project_tests.help_desks import (
    FEBRUARY,
    JANUARY,
    asking,
    text,
    ticket,
    tickets_every_second,
)


class RestlessHelpDesk(StoredHelpDesk):
    """Its tickets change at every request, before it is answered."""

    def __init__(self, tickets: list[Row], change: Callable[["RestlessHelpDesk", int], None]):
        super().__init__({"tickets": tickets}, now=FEBRUARY + timedelta(days=9))
        self._change, self._requests = change, 0

    def rows(self, table: str) -> list[Row] | None:
        # The app looks once whether there is the list, and once at what is in it.
        self._requests += 1
        if self._requests % 2:
            self._change(self, self._requests // 2)
        return super().rows(table)


def _listed(api: FreshdeskApi, page_cap: int = 300) -> Iterator[Row]:
    paginator = UpdatedSince(JANUARY, FEBRUARY, page_cap)
    for page in api.pages("tickets", {}, paginator, may_repeat=True):
        yield from paginator.unseen(page)


def _ids(rows: Iterator[Row]) -> Counter[int]:
    return Counter(row["id"] for row in rows)


@pytest.mark.stack
@pytest.mark.long
def test_35000_tickets_of_a_month_are_listed_once_each_against_a_cap_of_300_pages() -> None:
    calls = ApiCalls()
    with asking(StoredHelpDesk({"tickets": tickets_every_second(35_000)}), calls) as api:
        ids = _ids(_listed(api))

    assert ids == Counter(range(35_000))
    # A page of 100 begins with the last ticket of the page before.
    assert calls.count == 354


def test_no_ticket_is_missed_while_tickets_that_were_read_move_to_the_end() -> None:
    def read_ticket_moves_on(desk: RestlessHelpDesk, request: int) -> None:
        if request:
            desk.change("tickets", request, updated_at=text(FEBRUARY + timedelta(hours=request)))

    with asking(RestlessHelpDesk(tickets_every_second(1_000), read_ticket_moves_on)) as api:
        ids = _ids(row for row in _listed(api) if updated_at(row) < FEBRUARY)

    assert ids == Counter(range(1_000))


def test_a_ticket_that_changes_within_the_month_is_listed_again_as_it_is_then() -> None:
    later = JANUARY + timedelta(days=20)

    def first_ticket_changes(desk: RestlessHelpDesk, request: int) -> None:
        if request == 1:
            desk.change("tickets", 0, updated_at=text(later), subject="changed")

    with asking(RestlessHelpDesk(tickets_every_second(300), first_ticket_changes)) as api:
        rows = list(_listed(api))

    assert [row["subject"] for row in rows if row["id"] == 0] == ["ticket 0", "changed"]
    assert len(rows) == 301


def test_an_instant_that_fills_many_pages_is_listed_completely() -> None:
    at_once = JANUARY + timedelta(days=3)
    tickets = [ticket(n, at_once) for n in range(950)]
    around = [ticket(5_000, JANUARY), ticket(5_001, at_once + timedelta(seconds=1))]
    with asking(StoredHelpDesk({"tickets": [*tickets, *around]})) as api:
        ids = _ids(_listed(api))

    assert ids == Counter([*range(950), 5_000, 5_001])


def test_no_ticket_of_an_instant_is_missed_while_others_leave_it() -> None:
    at_once = JANUARY + timedelta(days=3)

    def two_leave(desk: RestlessHelpDesk, request: int) -> None:
        if 2 <= request <= 5:
            for number in (request * 2, request * 2 + 1):
                desk.change("tickets", number, updated_at=text(FEBRUARY))

    tickets = [ticket(n, at_once) for n in range(450)]
    with asking(RestlessHelpDesk(tickets, two_leave)) as api:
        ids = _ids(row for row in _listed(api) if updated_at(row) < FEBRUARY)

    assert ids == Counter(range(450))


@pytest.mark.stack
def test_ten_thousand_tickets_of_one_instant_are_refused_where_the_cap_is_small() -> None:
    tickets = [ticket(n, JANUARY) for n in range(10_000)]
    calls = ApiCalls()
    with (
        asking(StoredHelpDesk({"tickets": tickets}), calls, page_cap=20) as api,
        pytest.raises(
            SourceError, match="more than 2000 tickets have the updated_at 2024-01-01T00"
        ),
    ):
        list(_listed(api, page_cap=20))

    # The page that the API would refuse is not even asked for.
    assert calls.count == 20


@pytest.mark.stack
def test_an_instant_whose_readings_never_agree_is_an_error() -> None:
    def first_of_them_leaves(desk: RestlessHelpDesk, request: int) -> None:
        desk.change("tickets", request, updated_at=text(FEBRUARY))

    tickets = [ticket(n, JANUARY) for n in range(400)]
    with (
        asking(RestlessHelpDesk(tickets, first_of_them_leaves)) as api,
        pytest.raises(SourceError, match="they change faster than they can be listed"),
    ):
        list(_listed(api))


def test_nothing_is_asked_for_once_the_end_is_passed() -> None:
    calls = ApiCalls()
    december = JANUARY - timedelta(days=1)
    tickets = [
        *tickets_every_second(150, first=december),
        *tickets_every_second(120, first=JANUARY),
        *tickets_every_second(500, first=FEBRUARY),
    ]
    desk = StoredHelpDesk({"tickets": [{**row, "id": n} for n, row in enumerate(tickets)]})
    with asking(desk, calls) as api:
        ids = _ids(row for row in _listed(api) if updated_at(row) < FEBRUARY)

    assert ids == Counter(range(150, 270))
    assert calls.count == 2


def test_a_page_that_is_short_goes_on_if_it_names_a_next_one() -> None:
    """The key's owner may not see every ticket, and a page then lacks those."""
    faults = Faults()
    tickets = tickets_every_second(3)
    link = {"Link": '<https://acme.freshdesk.com/api/v2/tickets?page=2>; rel="next"'}
    faults.answer_next("tickets", JSONResponse(tickets[:1], headers=link))
    with asking(StoredHelpDesk({"tickets": tickets}), faults=faults) as api:
        assert _ids(_listed(api)) == Counter(range(3))


def test_an_answer_out_of_order_is_refused() -> None:
    faults = Faults()
    faults.answer_always("tickets", JSONResponse(tickets_every_second(3)[::-1]))
    with (
        asking(StoredHelpDesk({}), faults=faults) as api,
        pytest.raises(SourceError, match="out of the order of updated_at"),
    ):
        list(_listed(api))


@pytest.mark.parametrize(
    "row",
    [{"code": "x"}, {"id": 1, "updated_at": None}, {"id": None, "updated_at": text(JANUARY)}, 7],
)
def test_what_is_no_ticket_is_refused_rather_than_left_out(row: Any) -> None:
    faults = Faults()
    faults.answer_always("tickets", JSONResponse([row]))
    with (
        asking(StoredHelpDesk({}), faults=faults) as api,
        pytest.raises(SourceError, match="no id with an updated_at"),
    ):
        list(_listed(api))
