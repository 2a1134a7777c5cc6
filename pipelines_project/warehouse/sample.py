"""A few rows of a table or mart of the warehouse, to be shown where no person is in them."""

import duckdb

from pipelines_project.landing.sample import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, Sample
from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.columns import MONTH_COLUMN, column_types


def sample_of(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> Sample | None:
    """Return a few rows of its newest month; None if it has none, or is not there."""
    columns = [*column_types(connection, schema, name)]
    table, shown = qualified(schema, name), [c for c in columns if c not in DLT_COLUMNS]
    if not shown:
        return None
    cut = ", ".join(
        f"case when length({text}) > {MOST_CHARACTERS} then {text}[:{MOST_CHARACTERS}] || '…' "
        f"else {text} end"
        for text in (f"cast({quoted(column)} as varchar)" for column in shown[:MOST_COLUMNS])
    )
    newest = f"where {MONTH_COLUMN} = (select max({MONTH_COLUMN}) from {table})"
    where = newest if MONTH_COLUMN in columns else ""
    rows = connection.execute(f"select {cut} from {table} {where} limit {MOST_ROWS}").fetchall()
    return Sample(shown[:MOST_COLUMNS], rows, len(shown) > MOST_COLUMNS) if rows else None
