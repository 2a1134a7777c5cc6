"""A month of a PostgreSQL table or query as Arrow tables, read by DuckDB's extension.

Data flow:
    the statement, planned only ─▶ its columns and their types ─▶ a select list that is exact
                                └▶ one `copy (select …) to stdout (format binary)` ─▶ Arrow tables

One statement is one snapshot of the database, so that what is written meanwhile does not tear the
month.
"""

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.months import month_start, next_month
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.columns import read_columns
from pipelines_project.sources.sql.connection import CONNECT_SECONDS, engine_of, explained
from pipelines_project.sources.sql.postgres_columns import (
    REFUSED,
    literal,
    month_condition,
    quoted,
    result_columns,
)
from pipelines_project.sources.sql.settings import SqlSettings, statement, with_literals
from pipelines_project.sources.sql.time_bounds import refuse_unbounded
from pipelines_project.temporary import duckdb_session

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
_BATCH_ROWS = 2048
_ROW_GROUP_BYTES = 64 << 20
# In the error the statement is shown too, where an apostrophe comes before the word.
_REASON = re.compile(f"[^']{REFUSED}([^\n]*?)[\"»“]")


def postgres_tables(
    settings: SqlSettings, url: sa.URL, month: str, naming: NamingConvention
) -> Iterator[pa.Table]:
    """Yield the rows in tables of a row group each, the first one without rows.

    Raises:
        SourceError: the settings do not fit the database, or a value has no exact form.
    """
    connect = _connect_args(settings, url)
    sql, names = _exact_select(settings, engine_of(url, connect), month, naming)
    waiting, rows, size = list[pa.Table](), 0, 0
    for table in _arrow(settings, connect, sql, names):
        waiting.append(table)
        rows, size = rows + len(table), size + table.nbytes
        if rows >= settings.chunk_rows or size >= _ROW_GROUP_BYTES or not rows:
            yield _checked(settings, waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield _checked(settings, waiting)


def _checked(settings: SqlSettings, tables: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables(tables)
    refuse_unbounded(settings, table)
    return table


def _connect_args(settings: SqlSettings, url: sa.URL) -> dict[str, Any]:
    """Return what libpq connects with: the URL's own settings, and those of the session."""
    _, given = url.get_dialect()().create_connect_args(url)
    session = {**_SESSION, "statement_timeout": int(settings.timeout_minutes * 60_000)}
    options = [given.get("options", ""), *(f"-c {name}={value}" for name, value in session.items())]
    return {**_WAITS, **given, "options": " ".join(options)}


def _exact_select(
    settings: SqlSettings, engine: sa.Engine, month: str, naming: NamingConvention
) -> tuple[str, list[str]]:
    """Return the statement that reads the month, and the names of its columns."""
    start, end = f"{month_start(month):%Y-%m-%d}", f"{month_start(next_month(month)):%Y-%m-%d}"
    source = f"{_relation(settings, literal(start), literal(end))} as q"
    with engine.connect() as connection:
        _check_session(settings, connection)
        columns = result_columns(connection, source)
    landed = read_columns(settings, [each.name for each in columns], naming)
    sent = ", ".join(
        f"{each.sent()} as c{at}" for at, each in enumerate(columns) if each.name in landed
    )
    select = f"select {sent} from {source}"
    if settings.month_column:
        select += f" where {month_condition(settings, columns, start, end)}"
    return select, [*landed.values()]


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


def _arrow(
    settings: SqlSettings, connect: dict[str, Any], sql: str, names: list[str]
) -> Iterator[pa.Table]:
    """Yield small tables of the statement's rows, the first one without any."""
    # Both come with the extra.
    from duckdb_extensions import import_extension  # pyright: ignore[reportMissingTypeStubs]
    from psycopg.conninfo import make_conninfo

    # With more threads an error of the server can come as "Interrupted". One reads as fast.
    with duckdb_session(arrow_large_buffer_size=True, threads=1) as connection:
        import_extension("postgres_scanner", con=connection)
        dsn = literal(make_conninfo(**connect))
        connection.execute(f"attach {dsn} as source (type postgres, read_only)")
        try:
            found = connection.execute("from postgres_query('source', $1)", [sql])
            batches = found.to_arrow_reader(min(_BATCH_ROWS, settings.chunk_rows))
            schema = _schema(batches.schema, names)
            yield schema.empty_table()
            for batch in batches:
                yield pa.Table.from_batches([batch]).rename_columns(names).cast(schema)
        # What fails when rows have come already is an error of Arrow.
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            failure = _explained(settings, error)
        else:
            return
    raise failure


def _explained(settings: SqlSettings, error: Exception) -> SourceError:
    """Return what to do about an error of the statement, apart from the error."""
    reason = _REASON.search(str(error))
    if reason is None:
        return explained(settings, error)
    return SourceError(
        f"{settings.place}: {reason[1]}, which no decimal of Arrow is: leave the column out with "
        "`exclude`, or write a `query` that makes it null or text"
    )


def _schema(sent: pa.Schema, names: list[str]) -> pa.Schema:
    """Return the schema with the columns' names; DuckDB calls UTC as this machine does."""
    types: list[pa.DataType] = [
        pa.timestamp("us", "UTC") if pa.types.is_timestamp(kind) and kind.tz else kind
        for kind in sent.types
    ]
    return pa.schema([*zip(names, types, strict=True)])
