"""What the Freshdesk marts say of tickets that are known one by one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines_project import definitions
from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.freshdesk_location import both, freshdesk_location

pytestmark = pytest.mark.stack

_MARTS = Path(definitions.__file__).parent / "defs" / "freshdesk" / "marts"


def _ticket(
    number: int, created: str, answered: str = "", resolved: str = "", **fields: Any
) -> dict[str, Any]:
    stats = {"first_responded_at": answered or None, "resolved_at": resolved or None}
    row = {"id": number, "created_at": created, "updated_at": "2024-03-31T00:00:00Z"}
    more = {"group_id": 31, "responder_id": 21, "priority": 1, "due_by": "2024-04-01T00:00:00Z"}
    return {**row, **more, "stats": stats, **fields}


_TICKETS = [
    _ticket(1, "2024-01-10T00:00:00Z", "2024-01-10T02:00:00Z", "2024-01-11T00:00:00Z"),
    _ticket(2, "2024-01-20T00:00:00Z", "2024-01-20T04:00:00Z", "2024-03-01T00:00:00Z"),
    _ticket(3, "2024-01-31T23:00:00Z", "2024-02-01T05:00:00Z", priority=4),
    _ticket(4, "2024-03-02T00:00:00Z", group_id=None, responder_id=None, due_by="2999-01-01"),
    _ticket(5, "2024-01-02T00:00:00Z", "2024-01-02T09:00:00Z", responder_id=99, group_id=77),
    _ticket(6, "2024-01-03T00:00:00Z", deleted=True),
    _ticket(7, "2024-01-03T00:00:00Z", spam=True),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    moment = "2024-03-01T00:00:00Z"
    named = {"created_at": moment, "updated_at": moment}
    desk = StoredHelpDesk(
        {
            "tickets": _TICKETS,
            "groups": [{"id": 31, "name": "Billing", **named}],
            "agents": [{"id": 21, "contact": {"name": "Ada"}, **named}],
        }
    )
    with freshdesk_location(tmp_path_factory.mktemp("marts"), desk) as location:
        run = location.materialize("2024-03", *both("tickets", "groups", "agents"))
        assert run.result.success
        for name in ("ticket_months", "agent_load"):
            build(location.warehouse, Mart("freshdesk", parse_model(_MARTS / f"{name}.sql")))
        yield location.warehouse


def test_a_group_has_a_row_for_each_month_with_its_backlog(warehouse: Warehouse) -> None:
    query = """
        select month, opened, resolved, backlog, median_hours_to_first_response,
            median_hours_to_resolution
        from freshdesk_marts.ticket_months where group_name = 'Billing' order by month
    """
    assert warehouse.rows(query) == [
        ("2024-01", 3, 1, 2, 3.0, 24.0),
        ("2024-02", 0, 0, 2, 6.0, None),
        ("2024-03", 0, 1, 1, None, 984.0),
    ]


def test_tickets_without_a_known_group_are_counted_too(warehouse: Warehouse) -> None:
    query = """
        select group_name, month, opened, resolved, backlog
        from freshdesk_marts.ticket_months where group_name <> 'Billing' order by all
    """
    assert warehouse.rows(query) == [
        ("group 77", "2024-01", 1, 0, 1),
        ("group 77", "2024-02", 0, 0, 1),
        ("group 77", "2024-03", 0, 0, 1),
        ("no group", "2024-03", 1, 0, 1),
    ]


def test_agents_have_their_open_tickets_and_what_they_did(warehouse: Warehouse) -> None:
    query = """
        select agent_name, open_tickets, urgent_tickets, overdue_tickets, resolved_tickets,
            strftime(oldest_open_at, '%Y-%m-%d'), median_hours_to_first_response,
            median_hours_to_resolution
        from freshdesk_marts.agent_load order by agent_name
    """
    assert warehouse.rows(query) == [
        ("Ada", 1, 1, 1, 2, "2024-01-31", 4.0, 504.0),
        ("agent 99", 1, 0, 1, 0, "2024-01-02", 9.0, None),
        ("no agent", 1, 0, 0, 0, "2024-03-02", None, None),
    ]
