"""What happens to a made-up ticket after it was opened, and what it then looks like."""

import random
from datetime import datetime, timedelta
from typing import Any

_OPEN, _PENDING, _RESOLVED, _CLOSED = 2, 3, 4, 5


def ticket_as_of(rng: random.Random, created: datetime, now: datetime) -> dict[str, Any]:
    """The fields of a ticket that change, after all that has happened to it by `now`.

    Args:
        rng: of the ticket, so that its story is always the same one.
        created: when it was opened.
        now: what lies after has not happened yet.
    """
    fields: dict[str, Any] = {"status": _OPEN, "spam": False, "deleted": False}
    stats: dict[str, Any] = dict.fromkeys(
        ("first_responded_at", "resolved_at", "closed_at", "reopened_at", "pending_since")
    )
    updated = created
    for moment, change, stamps in _story(rng, created):
        if moment > now:
            break
        updated = moment
        fields |= change
        stats |= {stamp: _text(moment) if holds else None for stamp, holds in stamps.items()}
    times = {"created_at": _text(created), "updated_at": _text(updated)}
    return {**fields, **times, "stats": stats}


def _story(
    rng: random.Random, created: datetime
) -> list[tuple[datetime, dict[str, Any], dict[str, bool]]]:
    """Return each event: when, the fields it sets, and the stats it stamps or clears."""

    def later(moment: datetime, most_hours: float) -> datetime:
        return moment + timedelta(seconds=round(rng.uniform(0.1, most_hours) * 3600))

    if rng.random() < 0.04:
        spotted = later(created, 24)
        purged = later(spotted, 24 * 60)
        return [(spotted, {"spam": True}, {}), (purged, {"deleted": True}, {})]
    answered = later(created, 48)
    resolved = later(answered, 24 * 20)
    story = [
        (answered, {"status": _PENDING}, {"first_responded_at": True, "pending_since": True}),
        (resolved, {"status": _RESOLVED}, {"resolved_at": True, "pending_since": False}),
    ]
    if rng.random() < 0.15:
        reopened = later(resolved, 24 * 50)
        resolved = later(reopened, 24 * 10)
        story += [
            (reopened, {"status": _OPEN}, {"reopened_at": True, "resolved_at": False}),
            (resolved, {"status": _RESOLVED}, {"resolved_at": True}),
        ]
    if rng.random() < 0.05:
        return [*story, (later(resolved, 24 * 30), {"deleted": True}, {})]
    return [*story, (later(resolved, 24 * 90), {"status": _CLOSED}, {"closed_at": True})]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
