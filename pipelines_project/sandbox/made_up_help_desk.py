"""A help desk that is made up: the same tickets each time, which change as time goes by."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pipelines_project.sandbox.help_desk import Row
from pipelines_project.sandbox.ticket_events import ticket_as_of

_FIRST_ID = 80_000_000_000
_NAMES = {
    "groups": ["Billing", "Customer Support", "Development", "Escalations"],
    "roles": ["Account Administrator", "Administrator", "Agent", "Supervisor"],
    "companies": ["Ashdown Mills", "Birch & Sons", "Calder Freight", "Dunmore Foods"],
    "agents": ["Ada Holt", "Ben Marsh", "Cleo Frost", "Dan Pike", "Eve Lark"],
}
_MORE: dict[str, Row] = {
    "groups": {"escalate_to": None, "unassigned_for": "30m", "business_hour_id": None},
    "roles": {"default": True, "agent_type": 1},
    "companies": {"note": None, "domains": ["example.com"], "health_score": None, "industry": None},
    "agents": {"available": True, "occasional": False, "ticket_scope": 1, "signature": None},
}


@dataclass
class MadeUpHelpDesk:
    """Tickets of every month from the first on, as they are at one time.

    Attributes:
        tickets_per_month: so many are opened in every month.
        first_month: when the help desk was opened, `YYYY-MM`.
        as_of: the time, which tests can set anew; where it is None, the real one, to the minute.
    """

    tickets_per_month: int = 40
    first_month: str = "2023-01"
    as_of: datetime | None = None

    def now(self) -> datetime:
        """The time that it is at the help desk."""
        return self.as_of or datetime.now(UTC).replace(second=0, microsecond=0)

    def rows(self, table: str) -> list[Row] | None:
        """The rows of a list as they are at that time."""
        opened = datetime.fromisoformat(f"{self.first_month}-01").replace(tzinfo=UTC)
        if table == "tickets":
            return _tickets(opened, self.tickets_per_month, self.now())
        if table == "contacts":
            return _contacts(opened, self.now())
        return _team(table, opened) if table in _NAMES else None


def _identity(table: str, number: int) -> int:
    lists = ["contacts", *_NAMES]
    return _FIRST_ID + lists.index(table) * 1_000_000 + number


@lru_cache(maxsize=16)
def _team(table: str, opened: datetime) -> list[Row]:
    """The companies, groups, roles or agents, who are there from the first day on."""
    rows = []
    for number, name in enumerate(_NAMES[table]):
        since = _text(opened + timedelta(hours=number))
        row: Row = {"id": _identity(table, number), "created_at": since, "updated_at": since}
        named: Row = {"name": name, "description": None}
        if table == "agents":
            email = f"{name.lower().replace(' ', '.')}@example.com"
            named = {"type": "support_agent", "contact": {"name": name, "email": email}}
        rows.append({**row, **named, **_MORE[table]})
    return rows


@lru_cache(maxsize=4)
def _contacts(opened: datetime, now: datetime) -> list[Row]:
    """Sixty contacts, one new every few days; some are changed, blocked or deleted a year later."""
    rows = []
    for number in range(60):
        created = opened + timedelta(days=number * 3)
        changed = created + timedelta(days=365)
        is_changed = changed <= now and number % 4 == 0
        row: Row = {
            "id": _identity("contacts", number),
            "name": f"Customer {number:02d}",
            "email": f"customer{number:02d}@example.com",
            "other_emails": [],
            "active": is_changed,
            "company_id": _identity("companies", number % 4) if number % 3 else None,
            "custom_fields": {"segment": "retail" if number % 2 else None},
            "created_at": _text(created),
            "updated_at": _text(changed if is_changed else created),
        }
        marks = {"deleted": number % 12 == 0, "blocked": number % 20 == 8} if is_changed else {}
        if created <= now:
            rows.append({**row, **{mark: True for mark, holds in marks.items() if holds}})
    return rows


@lru_cache(maxsize=4)
def _tickets(opened: datetime, per_month: int, now: datetime) -> list[Row]:
    rows, start, number = [], opened, 0
    while start <= now:
        end = (start + timedelta(days=31)).replace(day=1)
        for n in range(per_month):
            number += 1
            created = start + (end - start) * n / per_month
            if created <= now:
                known_contacts = min(60, 1 + (created - opened).days // 3)
                rows.append(_ticket(number, created.replace(microsecond=0), now, known_contacts))
        start = end
    return rows


def _ticket(number: int, created: datetime, now: datetime, known_contacts: int) -> Row:
    # Seeded with a string, which Python hashes alike in every process.
    rng = random.Random(f"ticket {number}")
    requester = rng.randrange(known_contacts)
    row: dict[str, Any] = {
        "id": number,
        "subject": rng.choice(["Cannot sign in", "Invoice is wrong", "Where is my order?"]),
        "type": rng.choice(["Question", "Incident", "Problem", None]),
        "priority": rng.randint(1, 4),
        "source": rng.choice([1, 2, 3]),
        "group_id": _identity("groups", rng.randrange(4)) if rng.random() < 0.9 else None,
        "responder_id": _identity("agents", rng.randrange(5)) if rng.random() < 0.8 else None,
        "requester_id": _identity("contacts", requester),
        "requester": {"id": _identity("contacts", requester), "name": f"Customer {requester:02d}"},
        "company_id": None,
        "to_emails": None if rng.random() < 0.5 else ["support@example.com"],
        "cc_emails": [],
        "tags": ["vip"] if rng.random() < 0.1 else [],
        "description": "<div>As the subject says.</div>",
        "description_text": "As the subject says.",
        "custom_fields": {
            "cf_order": f"{number:05d}" if rng.random() < 0.3 else None,
            "cf_amount": f"{rng.randrange(1000) / 10}" if rng.random() < 0.3 else None,
            "cf_urgent": rng.random() < 0.2,
        },
        "due_by": _text(created + timedelta(days=5)),
        "fr_due_by": _text(created + timedelta(days=1)),
    }
    return {**row, **ticket_as_of(rng, created, now)}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
