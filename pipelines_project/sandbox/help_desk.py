"""Help desks for the Freshdesk sandbox: what rows each list has, at the time that it is."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

Row = dict[str, Any]


class HelpDesk(Protocol):
    """All rows of one help desk, deleted and spam ones included."""

    def now(self) -> datetime:
        """The time that it is at the help desk, in UTC."""
        ...

    def rows(self, table: str) -> list[Row] | None:
        """The rows of a list as they are now, None if there is no such list.

        As long as nothing changes it is the same list object, which nobody writes to.
        """
        ...


class StoredHelpDesk:
    """A help desk with given rows, which tests can change."""

    def __init__(self, rows: Mapping[str, Iterable[Row]], now: datetime | None = None) -> None:
        """Keep the rows; the time is the real one where `now` is not given."""
        self._rows = {table: list(each) for table, each in rows.items()}
        self._now = now

    def now(self) -> datetime:
        """The time given, or the real one."""
        return self._now or datetime.now(UTC)

    def rows(self, table: str) -> list[Row] | None:
        """The rows of a list."""
        return self._rows.get(table)

    def change(self, table: str, row_id: int, **fields: Any) -> None:
        """Change fields of one row; whoever changes anything must set `updated_at` too."""
        self._rows[table] = [
            {**row, **fields} if row["id"] == row_id else row for row in self._rows[table]
        ]


def recorded_help_desk(folder: Path) -> StoredHelpDesk:
    """The help desk whose answers are kept in a folder, as `<list>.json`; other lists are empty."""
    rows: dict[str, list[Row]] = {"roles": []}
    rows |= {file.stem: json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))}
    return StoredHelpDesk(rows)
