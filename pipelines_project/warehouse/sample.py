"""A few rows of a table or mart as text, to be shown where no person is in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.columns import MONTH_COLUMN, column_types

_ROWS = 3
# No page is a place for tables of hundreds of columns and texts of kilobytes.
_COLUMNS = 24
_CHARACTERS = 60


@dataclass(frozen=True)
class Sample:
    """A few rows of the newest month, without what dlt adds to them.

    Attributes:
        columns: the first ones.
        rows: their values as text, the long ones cut off; None for null.
        is_cut: whether there are more columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    is_cut: bool


def sample_of(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> Sample | None:
    """Return a few rows of a table or mart; None if it has none, or is not there."""
    columns = [*column_types(connection, schema, name)]
    table, shown = qualified(schema, name), [c for c in columns if c not in DLT_COLUMNS]
    if not shown:
        return None
    cut = ", ".join(
        f"case when length({text}) > {_CHARACTERS} then {text}[:{_CHARACTERS}] || '…' "
        f"else {text} end"
        for text in (f"cast({quoted(column)} as varchar)" for column in shown[:_COLUMNS])
    )
    newest = f"where {MONTH_COLUMN} = (select max({MONTH_COLUMN}) from {table})"
    where = newest if MONTH_COLUMN in columns else ""
    rows = connection.execute(f"select {cut} from {table} {where} limit {_ROWS}").fetchall()
    return Sample(shown[:_COLUMNS], rows, len(shown) > _COLUMNS) if rows else None
