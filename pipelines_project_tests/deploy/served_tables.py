"""What the fleet lands: tables with every row that is served, and the runs that land them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

from pipelines_project.months import months_before, next_month

Rows = Counter[tuple[Any, ...]]

LAST_MONTH = "2023-12"

# As SQL; the values of JSON lines stay texts.
_COLUMNS = {
    "games": "url uuid pgn fen tcn rated time_control",
    "tickets": "id subject type priority source status group_id responder_id requester_id spam "
    "deleted epoch(created_at) epoch(updated_at)",
    "contacts": "id name email active company_id blocked deleted epoch(created_at) "
    "epoch(updated_at)",
    "companies": "id name epoch(created_at) epoch(updated_at)",
    "agents": "id type contact__email epoch(created_at) epoch(updated_at)",
    "groups": "id name unassigned_for epoch(created_at) epoch(updated_at)",
    "roles": "id name agent_type epoch(created_at) epoch(updated_at)",
    "synthetic_data": "event_id event page amount is_paid note user__country created_at",
}


@dataclass(frozen=True)
class ServedTable:
    """A table with all rows that its source serves.

    Attributes:
        source: the name of the source.
        name: its own.
        months: those that are served.
        rows: what is compared of every row, its month first.
    """

    source: str
    name: str
    months: Sequence[str]
    rows: Rows

    @property
    def keys(self) -> tuple[str, str]:
        """The assets that land and load it."""
        path = f"{self.source}/{self.name}"
        return f"landing/{path}", f"warehouse/{path}"

    @property
    def compared(self) -> str:
        """The SQL of what is compared, without the month."""
        return ", ".join(_COLUMNS[self.name].split())


class Run(NamedTuple):
    """What is launched at once: months, which follow each other, of all tables of a source."""

    source: str
    months: Sequence[str]
    tables: Sequence[ServedTable]

    @property
    def loads(self) -> set[tuple[str, str]]:
        """The month and the asset of all that it loads."""
        return {(month, table.keys[1]) for table in self.tables for month in self.months}


@dataclass(frozen=True)
class Sizes:
    """How much is served.

    Attributes:
        players: whose games there are.
        games: of each player in a month.
        tickets: that are opened in a month.
        lines: of each of a month's two files.
        months: of each source, up to `LAST_MONTH`.
        runs: of each source, which share its months.
    """

    players: Sequence[str]
    games: int
    tickets: int
    lines: int
    months: Mapping[str, int]
    runs: int

    def months_of(self, source: str) -> list[str]:
        """Return the months of a source."""
        return months_before(next_month(LAST_MONTH), self.months[source])[::-1]

    def months_per_run(self, source: str) -> int:
        """Return how many months a run lands."""
        return ceil(self.months[source] / self.runs)

    def runs_of(self, tables: Sequence[ServedTable]) -> list[Run]:
        """Return the runs that land everything, the sources in turns."""
        turns: list[tuple[float, Run]] = []
        for source in self.months:
            months, size = self.months_of(source), self.months_per_run(source)
            of_source = [table for table in tables if table.source == source]
            for first in range(0, len(months), size):
                run = Run(source, months[first : first + size], of_source)
                turns.append((first / len(months), run))
        return [run for _, run in sorted(turns, key=lambda turn: turn[0])]


def compared(table: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Rows:
    """Return what is compared of the rows of a table, each with its month."""
    names = _COLUMNS[table].split()
    return Counter((month, *(_value(row, name) for name in names)) for month, row in rows)


def _value(row: Mapping[str, Any], column: str) -> Any:
    name = column.removeprefix("epoch(").removesuffix(")")
    value: Any = row
    for part in name.split("__"):
        value = value.get(part)
    return value if name == column else datetime.fromisoformat(value).timestamp()
