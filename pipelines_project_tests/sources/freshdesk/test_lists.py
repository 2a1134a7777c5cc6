"""What a month of each table holds: every state, the window, and rows in the shape that lands."""

import json
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse

from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.help_desk import Row, StoredHelpDesk
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.columns import TABLES
from pipelines_project.sources.freshdesk.lists import changed_rows, resource
from pipelines_project_tests.help_desks import FEBRUARY, JANUARY, asking, text, ticket

_MARCH = FEBRUARY + timedelta(days=29)


def _rows(table: str, api: FreshdeskApi, *months: tuple[Any, Any]) -> list[Row]:
    changed = changed_rows(table, api)
    windows = months or [(JANUARY, FEBRUARY)]
    return [row for window in windows for row in resource(table, api, changed(*window))]


def test_tickets_are_asked_for_as_the_api_needs_it() -> None:
    faults = Faults()
    with asking(StoredHelpDesk({"tickets": []}), faults=faults) as api:
        _rows("tickets", api)

    common = {
        "updated_since": "2024-01-01T00:00:00Z",
        "order_by": "updated_at",
        "order_type": "asc",
        "include": "description,stats,requester",
        "per_page": "100",
        "page": "1",
    }
    asked = [dict(each.query) for each in faults.requests]
    assert asked == [common, {**common, "filter": "spam"}, {**common, "filter": "deleted"}]


def test_deleted_and_spam_tickets_come_marked() -> None:
    day = JANUARY + timedelta(days=3)
    tickets = [
        ticket(1, day),
        ticket(2, day, spam=True),
        ticket(3, day, deleted=True),
        ticket(4, day, deleted=True, spam=True),
        ticket(5, day, deleted=None, spam=None),
    ]
    with asking(StoredHelpDesk({"tickets": tickets})) as api:
        rows = {row["id"]: (row["spam"], row["deleted"]) for row in _rows("tickets", api)}

    assert rows == {
        1: (False, False),
        2: (True, False),
        3: (False, True),
        4: (True, True),
        5: (False, False),
    }


def test_a_ticket_that_only_its_pass_tells_of_is_marked() -> None:
    """The list of deleted tickets need not say of each that it is deleted."""
    faults = Faults()
    faults.answer_next("tickets", *(JSONResponse([ticket(n, JANUARY)]) for n in (1, 2, 3)))
    with asking(StoredHelpDesk({}), faults=faults) as api:
        rows = {row["id"]: (row["spam"], row["deleted"]) for row in _rows("tickets", api)}

    assert rows == {1: (False, False), 2: (True, False), 3: (False, True)}


@pytest.mark.stack
def test_a_month_has_what_changed_from_its_first_second_to_its_last() -> None:
    second = timedelta(seconds=1)
    moments = [JANUARY - second, JANUARY, FEBRUARY - second, FEBRUARY, FEBRUARY + second]
    tickets = [ticket(n, moment) for n, moment in enumerate(moments)]
    tickets.append(ticket(9, FEBRUARY, updated_at="2024-02-01T05:00:00+05:30"))
    with asking(StoredHelpDesk({"tickets": tickets})) as api:
        january = {row["id"] for row in _rows("tickets", api)}
        february = {row["id"] for row in _rows("tickets", api, (FEBRUARY, _MARCH))}

    assert (january, february) == ({1, 2, 9}, {3, 4})


def test_an_old_ticket_that_changed_is_not_hidden() -> None:
    desk = StoredHelpDesk(
        {"tickets": [ticket(1, JANUARY, created_at="2019-01-01T00:00:00Z")]}, now=_MARCH
    )
    with asking(desk) as api:
        assert [row["id"] for row in _rows("tickets", api)] == [1]


def test_contacts_of_every_state_come_marked() -> None:
    day = text(JANUARY + timedelta(days=3))
    states: list[Row] = [{}, {"blocked": True}, {"deleted": True}]
    contacts = [
        {"id": n, "name": f"{n}", "updated_at": day, **state} for n, state in enumerate(states)
    ]
    faults = Faults()
    with asking(StoredHelpDesk({"contacts": contacts}), faults=faults) as api:
        rows = {row["id"]: (row["blocked"], row["deleted"]) for row in _rows("contacts", api)}

    assert rows == {0: (False, False), 1: (True, False), 2: (False, True)}
    assert {each.query["_updated_since"] for each in faults.requests} == {"2024-01-01T00:00:00Z"}


@pytest.mark.parametrize("table", [table for table in TABLES if table != "tickets"])
def test_in_a_run_over_many_months_each_list_is_fetched_once(table: str) -> None:
    desk = MadeUpHelpDesk(first_month="2024-01", as_of=JANUARY + timedelta(days=80))
    faults = Faults()
    with asking(desk, faults=faults) as api:
        rows = _rows(table, api, (JANUARY, FEBRUARY), (FEBRUARY, _MARCH))

    asked = [each.query.get("state", "") for each in faults.asked(table)]
    assert asked == (["", "blocked", "deleted"] if table == "contacts" else [""])
    assert rows
    assert all(text(JANUARY) <= row["updated_at"] < text(_MARCH) for row in rows)


def test_custom_fields_land_whole_and_one_by_one() -> None:
    custom = {
        "cf_amount": "1.0",
        "cf_code": "007",
        "cf_count": 3,
        "cf_agreed": False,
        "cf_nothing": None,
        "cf_several": ["a", {"b": [1]}],
        "cf_nested": {"x": [1]},
    }
    with asking(StoredHelpDesk({"tickets": [ticket(1, JANUARY, custom_fields=custom)]})) as api:
        [row] = _rows("tickets", api)

    assert json.loads(row["custom_fields"]) == custom
    assert {name: value for name, value in row.items() if name.startswith("custom_fields__")} == {
        "custom_fields__cf_amount": "1.0",
        "custom_fields__cf_code": "007",
        "custom_fields__cf_count": 3,
        "custom_fields__cf_agreed": False,
    }


@pytest.mark.parametrize("custom", [None, {}])
def test_a_row_without_custom_fields_lands(custom: dict[str, Any] | None) -> None:
    with asking(StoredHelpDesk({"tickets": [ticket(1, JANUARY, custom_fields=custom)]})) as api:
        [row] = _rows("tickets", api)

    assert json.loads(row["custom_fields"] or "null") == custom
