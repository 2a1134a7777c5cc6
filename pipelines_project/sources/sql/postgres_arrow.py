"""The rows of one PostgreSQL statement as small Arrow tables, by DuckDB's extension."""

import os
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from pipelines_project.memory import duckdb_budget
from pipelines_project.sources.column_origin import origin
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.sql.connection import explained
from pipelines_project.sources.sql.postgres_columns import REFUSED
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.sql_text import literal

_BATCH_ROWS = 2048
# In the error the statement is shown too, where an apostrophe comes before the word.
_REASON = re.compile(f"[^']{REFUSED}([^\n]*?)[\"»“]")


def arrow_tables(
    settings: SqlSettings, connect: dict[str, Any], sql: str, landed: Mapping[str, str]
) -> Iterator[pa.Table]:
    """Yield small tables of a statement's rows, the first one without any.

    Args:
        settings: of the table.
        connect: what libpq connects with.
        sql: the statement.
        landed: the name that each of its columns lands under, by the database's, in their order.

    Raises:
        SourceError: the statement failed, before or while rows came.
    """
    with _attached(connect) as (connection, source):
        try:
            found = connection.execute("from postgres_query($1, $2)", [source, sql])
            batches = found.to_arrow_reader(min(_BATCH_ROWS, settings.chunk_rows))
            schema = _schema(batches.schema, landed)
            yield schema.empty_table()
            for batch in batches:
                yield pa.Table.from_batches([batch]).rename_columns(schema.names).cast(schema)
        # What fails when rows have come already is an error of Arrow.
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            failure = _explained(settings, error)
        else:
            return
    raise failure


@contextmanager
def _attached(connect: dict[str, Any]) -> Generator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Attach the database, and give the connection to DuckDB and the name that it has there."""
    from psycopg.conninfo import make_conninfo

    name = f"source_{uuid4().hex}"
    with _duckdb(os.getpid()).cursor() as connection:
        dsn = literal(make_conninfo(**connect))
        connection.execute(f"attach {dsn} as {name} (type postgres, read_only)")
        try:
            yield connection, name
        finally:
            connection.execute(f"detach {name}")


@cache
def _duckdb(_process: int) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB with the extension, whose signature takes longer to check than a small month.

    It only hands rows on, and keeps none, so that it needs no folder to spill to. With more threads
    an error of the server can come as "Interrupted"; one reads as fast.

    Args:
        _process: the id of the process, because a fork must not go on with its parent's.
    """
    from duckdb_extensions import import_extension  # pyright: ignore[reportMissingTypeStubs]

    budget = duckdb_budget()
    settings: dict[str, Any] = {"arrow_large_buffer_size": True, "temp_directory": ""}
    connection = duckdb.connect(config={**budget.settings(), **settings, "threads": 1})
    import_extension("postgres_scanner", con=connection)
    connection.load_extension("postgres_scanner")
    return connection


def _explained(settings: SqlSettings, error: Exception) -> SourceError:
    """Return what to do about an error of the statement, apart from the error."""
    reason = _REASON.search(str(error))
    if reason is None:
        return explained(settings, error)
    return SourceError(
        f"{settings.place}: {reason[1]}, which no decimal of Arrow is: leave the column out with "
        "`exclude`, or write a `query` that makes it null or text"
    )


def _schema(sent: pa.Schema, landed: Mapping[str, str]) -> pa.Schema:
    """Return the schema with the columns' names; DuckDB calls UTC as this machine does."""
    types: list[pa.DataType] = [
        pa.timestamp("us", "UTC") if pa.types.is_timestamp(kind) and kind.tz else kind
        for kind in sent.types
    ]
    return pa.schema(
        [
            pa.field(new, kind, metadata=origin((name,)))
            for (name, new), kind in zip(landed.items(), types, strict=True)
        ]
    )
