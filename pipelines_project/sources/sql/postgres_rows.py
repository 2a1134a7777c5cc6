"""A month of a PostgreSQL table or query as a parquet file, read and written by DuckDB.

Data flow:
    the statement, planned only ─▶ its columns and their types ─▶ a select list that is exact
                                └▶ one `copy (select …) to stdout (format binary)` ─▶ parquet

One statement is one snapshot of the database, so that what is written meanwhile does not tear the
month.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.months import month_start, next_month
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.columns import read_columns
from pipelines_project.sources.sql.connection import CONNECT_SECONDS, engine_of
from pipelines_project.sources.sql.postgres_columns import month_condition, result_columns
from pipelines_project.sources.sql.postgres_copy import Statement, copy_rows
from pipelines_project.sources.sql.settings import SqlSettings, statement, with_literals
from pipelines_project.sql_text import literal, quoted

_SESSION = {
    # The text of intervals, and of times within arrays, follows these.
    "intervalstyle": "iso_8601",
    "timezone": "UTC",
    "datestyle": "ISO",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
_WAITS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 6,
}


def postgres_file(
    settings: SqlSettings,
    url: sa.URL,
    month: str,
    naming: NamingConvention,
    load_id: str,
    path: Path,
    most_rows: int | None = None,
) -> int:
    """Write the rows to a parquet file, as dlt would, and return how many there are.

    Args:
        settings: of the table.
        url: of the database.
        month: `YYYY-MM`.
        naming: dlt's naming convention.
        load_id: of the load that the rows become.
        path: of the file.
        most_rows: how many are wanted; None for all.

    Raises:
        SourceError: the settings do not fit the database, or a value has no exact form.
    """
    connect = _connect_args(settings, url)
    statement = _exact_select(settings, engine_of(url, connect), month, naming, most_rows)
    return copy_rows(settings, connect, statement, load_id, path)


def _connect_args(settings: SqlSettings, url: sa.URL) -> dict[str, Any]:
    """Return what libpq connects with: the URL's own settings, and those of the session."""
    _, given = url.get_dialect()().create_connect_args(url)
    session = {**_SESSION, "statement_timeout": int(settings.timeout_minutes * 60_000)}
    options = [given.get("options", ""), *(f"-c {name}={value}" for name, value in session.items())]
    return {**_WAITS, **given, "options": " ".join(options)}


def _exact_select(
    settings: SqlSettings,
    engine: sa.Engine,
    month: str,
    naming: NamingConvention,
    most_rows: int | None,
) -> Statement:
    """Return the statement that reads the month."""
    start, end = f"{month_start(month):%Y-%m-%d}", f"{month_start(next_month(month)):%Y-%m-%d}"
    source = f"{_relation(settings, literal(start), literal(end))} as q"
    with engine.connect() as connection:
        _check_session(settings, connection)
        there = result_columns(connection, source)
    landed = read_columns(settings, [each.name for each in there], naming)
    columns = {landed[each.name]: each for each in there if each.name in landed}
    sent = ", ".join(f"{each.sent()} as c{at}" for at, each in enumerate(columns.values()))
    select = f"select {sent} from {source}"
    if settings.month_column:
        select += f" where {month_condition(settings, there, start, end)}"
    return Statement(select if most_rows is None else f"{select} limit {most_rows}", columns)


def _relation(settings: SqlSettings, start: str, end: str) -> str:
    """Return what stands after `from`."""
    if settings.query is not None:
        return f"(\n{with_literals(statement(settings.query), start, end)}\n)"
    schema, table = settings.schema_and_table
    return f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)


def _check_session(settings: SqlSettings, connection: sa.Connection) -> None:
    """Refuse a connection whose texts would be in another form, as a pooler may give."""
    for name in ("intervalstyle", "timezone"):
        value = connection.execute(sa.text("select current_setting(:name)"), {"name": name})
        if (found := value.scalar_one()) != _SESSION[name]:
            raise SourceError(
                f"{settings.connection}: the session's {name} stays {found}: name the database "
                "itself, and not a pooler that leaves out a connection's options"
            )
