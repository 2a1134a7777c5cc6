"""What is read: one table or query of a database, and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines_project.sources.row_groups import ROW_GROUP_ROWS

_PARAMETER = re.compile(r"(?<![:\w\\]):(month_start|month_end)\b")


@dataclass(frozen=True)
class SqlSettings:
    """One table or query.

    Attributes:
        name: of the table that lands.
        connection: the environment variable that holds the database's URL.
        table: in the database, with its schema where it is not the default one; None for a query.
        query: the text of a SELECT, in which `:month_start` and `:month_end` are bound; or None.
            Without a table and a query it is the database itself that errors are about.
        key: the columns that tell rows apart, as the database or the landing zone names them.
        month_column: the column whose month a row belongs to; None if the query says it itself, or
            all rows are a snapshot.
        columns: those that are read, in the database's spelling; none for all.
        exclude: those that are not.
        chunk_rows: how many rows are held in memory at most.
        timeout_minutes: how long a statement may take.
        column_names: the columns that the settings name, by their names in the database.
    """

    name: str
    connection: str
    table: str | None = None
    query: str | None = None
    key: tuple[str, ...] = ()
    month_column: str | None = None
    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    chunk_rows: int = ROW_GROUP_ROWS
    timeout_minutes: float = 60
    column_names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_snapshot(self) -> bool:
        """Whether the rows have no months."""
        return self.month_column is None and not (self.query and _PARAMETER.search(self.query))

    @property
    def place(self) -> str:
        """What is read, for an error's text."""
        database = f"the database that {self.connection} names"
        if self.table is None and self.query is None:
            return database
        what = f"table {self.table}" if self.table else f"query of {self.name}"
        return f"{what} of {database}"

    @property
    def schema_and_table(self) -> tuple[str | None, str]:
        """The schema, if one is named, and the name of the table."""
        schema, _, table = (self.table or "").rpartition(".")
        return schema or None, table


def with_literals(query: str, start: str, end: str) -> str:
    """Return the query with its parameters replaced by SQL text."""
    values = {"month_start": start, "month_end": end}
    return _PARAMETER.sub(lambda found: values[found[1]], query)


def statement(query: str) -> str:
    """Return the query without a semicolon at its end, so that it can stand in parentheses."""
    return query.strip().removesuffix(";").strip()
