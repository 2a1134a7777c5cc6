"""The rows of a mart's months: how many, what they come to, and putting new ones in their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines_project.landing.content import content_aggregates, content_text
from pipelines_project.marts.mart import Mart
from pipelines_project.warehouse.columns import MONTH_COLUMN

NEW_ROWS = "temp.built_months"
"""The table of a session in which the rows of months are made."""

# By the first and the last month DuckDB leaves out the parts of a table that have none of them.
_THESE = f"where {MONTH_COLUMN} between $first and $last and list_contains($months, {MONTH_COLUMN})"


@dataclass(frozen=True)
class BuiltMonth:
    """A month of a mart as it is now.

    Attributes:
        rows: how many it has.
        content: what they come to; equal for equal rows.
        unchanged: whether it had the same rows before, so that none were written.
        skipped: whether its sources were the same too, so that it was not even built.
    """

    rows: int
    content: str
    unchanged: bool = False
    skipped: bool = False


def replace_months(
    connection: duckdb.DuckDBPyConnection, mart: Mart, months: Sequence[str]
) -> None:
    """Put the rows that were made for the months in place of those in the table."""
    if months:
        parameters = _parameters(months)
        connection.execute(f"delete from {mart.table} {_THESE}", parameters)
        new = f"select * from {NEW_ROWS} {_THESE}"
        connection.execute(f"insert into {mart.table} by name {new}", parameters)
    connection.execute(f"drop table {NEW_ROWS}")


def contents_of(
    connection: duckdb.DuckDBPyConnection, relation: str, schema: Mapping[str, str]
) -> dict[str, BuiltMonth]:
    """Return what the rows of each month of a relation come to."""
    query = f"select {MONTH_COLUMN}, {content_aggregates(schema)} from {relation} group by all"
    found = connection.execute(query).fetchall()
    return {
        month: BuiltMonth(rows, content_text(schema, rows, total)) for month, rows, total in found
    }


def row_counts(
    connection: duckdb.DuckDBPyConnection, mart: Mart, months: Sequence[str]
) -> dict[str, int]:
    """Return how many rows the table has of each of the months that it has any of."""
    if not months:
        return {}
    query = f"select {MONTH_COLUMN}, count(*) from {mart.table} {_THESE} group by all"
    return dict(connection.execute(query, _parameters(months)).fetchall())


def _parameters(months: Sequence[str]) -> dict[str, Any]:
    return {"months": months, "first": months[0], "last": months[-1]}


def no_rows(schema: Mapping[str, str]) -> BuiltMonth:
    """Return a month that has no rows."""
    return BuiltMonth(0, content_text(schema, 0, 0))
