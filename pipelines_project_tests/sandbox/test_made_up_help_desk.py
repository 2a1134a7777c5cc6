"""The made-up help desk is always the same one, and lives through time."""

import time
from datetime import UTC, datetime, timedelta

from pipelines_project.sandbox.help_desk import Row
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk

_JUNE = datetime(2024, 6, 15, tzinfo=UTC)


def _tickets(as_of: datetime = _JUNE) -> dict[int, Row]:
    desk = MadeUpHelpDesk(tickets_per_month=50, first_month="2024-01", as_of=as_of)
    return {row["id"]: row for row in desk.rows("tickets") or []}


def test_the_same_tickets_are_made_in_every_process() -> None:
    ticket = _tickets()[7]

    assert ticket["subject"] == "Where is my order?"
    assert (ticket["created_at"], ticket["updated_at"]) == (
        "2024-01-04T17:16:48Z",
        "2024-03-30T03:09:23Z",
    )


def test_tickets_change_as_time_goes_by_and_never_back() -> None:
    before, after = _tickets(_JUNE - timedelta(days=40)), _tickets()
    changed = {n for n, row in before.items() if after[n] != row}

    assert set(before) < set(after)
    assert len(changed) > 50
    assert all(after[n]["updated_at"] > before[n]["updated_at"] for n in changed)
    assert all(before[n]["created_at"] == after[n]["created_at"] for n in before)


def test_nothing_happens_in_the_future() -> None:
    now = _JUNE.strftime("%Y-%m-%dT%H:%M:%SZ")

    assert all(row["created_at"] <= row["updated_at"] <= now for row in _tickets().values())


def test_there_are_tickets_of_every_kind() -> None:
    rows = list(_tickets().values())

    assert {row["status"] for row in rows} == {2, 3, 4, 5}
    assert any(row["spam"] and not row["deleted"] for row in rows)
    assert any(row["deleted"] for row in rows)
    assert any(row["stats"]["reopened_at"] for row in rows)
    assert {type(row["custom_fields"]["cf_amount"]) for row in rows} == {str, type(None)}
    assert {type(row["to_emails"]) for row in rows} == {list, type(None)}


def test_whom_a_ticket_refers_to_is_there() -> None:
    desk = MadeUpHelpDesk(tickets_per_month=50, first_month="2024-01", as_of=_JUNE)

    def ids(table: str) -> set[int]:
        return {row["id"] for row in desk.rows(table) or []}

    rows = list(_tickets().values())
    assert {row["requester_id"] for row in rows} <= ids("contacts")
    assert {row["responder_id"] for row in rows} - {None} <= ids("agents")
    assert {row["group_id"] for row in rows} - {None} <= ids("groups")
    assert ids("roles")
    assert ids("companies")
    assert desk.rows("nothing") is None


def test_contacts_are_blocked_and_deleted_in_time() -> None:
    desk = MadeUpHelpDesk(first_month="2022-01", as_of=_JUNE)
    contacts = desk.rows("contacts") or []

    assert any(row.get("deleted") for row in contacts)
    assert any(row.get("blocked") and not row.get("deleted") for row in contacts)
    desk.as_of = datetime(2022, 3, 1, tzinfo=UTC)
    assert not any(row.get("deleted") for row in desk.rows("contacts") or [])


def test_rows_stay_the_same_object_until_time_passes() -> None:
    desk = MadeUpHelpDesk(first_month="2024-01", as_of=_JUNE)
    rows = desk.rows("tickets")

    assert desk.rows("tickets") is rows
    desk.as_of = _JUNE + timedelta(days=1)
    assert desk.rows("tickets") is not rows


def test_three_years_of_tickets_are_made_quickly() -> None:
    desk = MadeUpHelpDesk(first_month="2021-06", as_of=_JUNE)
    started = time.process_time()

    assert len(desk.rows("tickets") or []) > 1_400
    assert time.process_time() - started < 1
