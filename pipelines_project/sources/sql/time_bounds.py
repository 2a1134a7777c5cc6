"""Times that readers would take for others: infinite ones, and those beyond the years 1 to 9999.

PostgreSQL's `infinity` arrives as a number like any other, and the time 24:00:00 as one that
readers take for midnight of the same day.
"""

from pathlib import Path

import duckdb

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.sql_text import literal, quoted

# The least that is refused no more, and the least that is refused again.
_BOUNDS = {
    "DATE": ("0001-01-01", "10000-01-01"),
    "TIMESTAMP": ("0001-01-01", "10000-01-01"),
    "TIMESTAMP WITH TIME ZONE": ("0001-01-01 00:00:00+00", "10000-01-01 00:00:00+00"),
    "TIME": ("00:00:00", "24:00:00"),
}


def refuse_unbounded(
    settings: SqlSettings, connection: duckdb.DuckDBPyConnection, path: Path
) -> None:
    """Refuse a parquet file with a time that is not as it was in the database.

    Raises:
        SourceError: names the column.
    """
    file = connection.read_parquet(str(path))
    kinds = zip(file.columns, map(str, file.types), strict=True)
    outside = {name: _outside(name, kind) for name, kind in kinds if kind in _BOUNDS}
    if not outside:
        return
    query = f"select {', '.join(outside.values())} from {literal(str(path))}"
    [found] = connection.execute(query).fetchall()
    for name, is_so in zip(outside, found, strict=True):
        if is_so:
            raise SourceError(
                f"{settings.place}: the column {name} has a time that is infinite, outside of the "
                "years 1 to 9999, or 24:00:00: leave it out with `exclude`, or write a `query` "
                f"with {name}::text, or nullif({name}, 'infinity')"
            )


def _outside(name: str, kind: str) -> str:
    """Return the SQL that tells whether a column has a time out of bounds."""
    least, most = (f"{kind} {literal(bound)}" for bound in _BOUNDS[kind])
    return f"coalesce(min({quoted(name)}) < {least} or max({quoted(name)}) >= {most}, false)"
