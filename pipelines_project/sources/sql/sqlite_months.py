"""Months in SQLite, which has no type for dates: what its texts must be like to be in order."""

from typing import Any

import sqlalchemy as sa

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings


def refuse_no_dates(
    settings: SqlSettings, connection: sa.Connection, column: sa.ColumnElement[Any]
) -> None:
    """Refuse a SQLite column whose values the order of texts does not put into their months."""
    if connection.dialect.name != "sqlite":
        return
    day, offset = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*", "*[0-9][+-][0-9][0-9]:[0-9][0-9]"
    is_text = sa.func.typeof(column) == "text"
    is_iso = column.bool_op("glob")(day)
    is_elsewhere = column.bool_op("glob")(offset) & ~column.endswith("+00:00")
    strange = sa.select(column).where(column.is_not(None), ~is_text | ~is_iso | is_elsewhere)
    if found := connection.execute(strange.limit(1)).first():
        raise SourceError(
            f"{settings.place}: month_column {settings.month_column!r} holds {found[0]!r}: its "
            "values must be texts such as 2024-01-31 or 2024-01-31 12:00:00 in UTC; write a "
            "`query` that compares the column with :month_start and :month_end"
        )
