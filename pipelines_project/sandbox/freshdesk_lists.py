"""Which rows a Freshdesk list request asks for: states, windows and orders."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipelines_project.sandbox.help_desk import HelpDesk, Row

# What the API lists only by itself, and the parameter that asks for it.
_STATES = {"tickets": ("deleted", "spam"), "contacts": ("deleted", "blocked")}
_STATE_PARAMETER = {"tickets": "filter", "contacts": "state"}
_SINCE_PARAMETER = {"tickets": "updated_since", "contacts": "_updated_since"}
_ORDERS = ("created_at", "due_by", "updated_at", "status")
_HIDDEN_AFTER = timedelta(days=30)

_PAGING = {"page", "per_page"}
PARAMETERS = {
    "tickets": {*_PAGING, "filter", "updated_since", "order_by", "order_type", "include"},
    "contacts": {*_PAGING, "state", "_updated_since"},
    "companies": _PAGING,
    "agents": _PAGING,
    "groups": _PAGING,
    "roles": _PAGING,
}


class RefusedError(Exception):
    """A parameter that Freshdesk answers with 400: which one, and why."""


@dataclass
class Lists:
    """The lists of one help desk, each sorted once for as long as its rows stay the same."""

    desk: HelpDesk
    _sorted: dict[tuple[str, str, str, str], tuple[list[Row], list[Row], list[datetime]]] = field(
        default_factory=dict
    )

    def asked_for(self, table: str, query: Mapping[str, str]) -> list[Row]:
        """Return all rows, of every page, in their order.

        Raises:
            RefusedError: a parameter has a value that there is not.
        """
        state = query.get(_STATE_PARAMETER.get(table, ""), "")
        if state and state not in _STATES[table]:
            raise RefusedError(_STATE_PARAMETER[table], f"It should be one of {_STATES[table]}")
        order = query.get("order_by", "created_at") if table == "tickets" else "name"
        if table == "tickets" and order not in _ORDERS:
            raise RefusedError("order_by", f"It should be one of {_ORDERS}")
        kind = query.get("order_type", "desc") if table == "tickets" else "asc"
        rows, changed = self._in_order(table, state, order, kind)
        since = query.get(_SINCE_PARAMETER.get(table, ""))
        if since is None:
            return rows if table != "tickets" or state else self._recent(rows)
        start = _since(_SINCE_PARAMETER[table], since)
        if (order, kind) == ("updated_at", "asc"):
            return rows[bisect_left(changed, start) :]
        return [row for row, at in zip(rows, changed, strict=True) if at >= start]

    def _in_order(
        self, table: str, state: str, order: str, kind: str
    ) -> tuple[list[Row], list[datetime]]:
        """Return a list's rows of one state in order, and when each was last changed."""
        every = self.desk.rows(table) or []
        known = self._sorted.get((table, state, order, kind))
        if known is None or known[0] is not every:
            rows = [row for row in every if _is_listed(table, row, state)]
            # Agents have no name of their own.
            sortable = moment if order in ("created_at", "due_by", "updated_at") else str
            rows.sort(key=lambda row: (sortable(row.get(order, "")), row["id"]))
            rows = rows[::-1] if kind == "desc" else rows
            known = every, rows, [moment(row["updated_at"]) for row in rows]
            self._sorted[table, state, order, kind] = known
        return known[1], known[2]

    def _recent(self, rows: list[Row]) -> list[Row]:
        start = self.desk.now() - _HIDDEN_AFTER
        return [row for row in rows if moment(row["created_at"]) >= start]


def moment(text: str) -> datetime:
    """Return the time that a text says, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _since(name: str, text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise RefusedError(name, "It should be in the ISO 8601 format") from error


def _is_listed(table: str, row: Row, state: str) -> bool:
    """Tell whether a row is in the list of a state; what was deleted is in no other."""
    holding = next((each for each in _STATES.get(table, ()) if row.get(each)), "")
    return holding == state
