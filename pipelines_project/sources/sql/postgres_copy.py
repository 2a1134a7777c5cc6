"""The rows of a PostgreSQL statement as a parquet file, by DuckDB's extension."""

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from pipelines_project.extensions import load_extension, trusted
from pipelines_project.memory import MEMORY_SETTING, duckdb_budget
from pipelines_project.names import LOAD_ID_COLUMN
from pipelines_project.sources.column_origin import file_metadata, pointer
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.row_groups import ROW_GROUP_BYTES
from pipelines_project.sources.sql.connection import explained
from pipelines_project.sources.sql.postgres_columns import REFUSED, PostgresColumn
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.sources.sql.time_bounds import refuse_unbounded
from pipelines_project.sql_text import literal, quoted

# In the error the statement is shown too, where an apostrophe comes before the word.
_REASON = re.compile(f"[^']{REFUSED}([^\n]*?)[\"»“]")


@dataclass(frozen=True)
class Statement:
    """What is read.

    Attributes:
        sql: the statement; its columns are called `c0`, `c1` and so on.
        columns: what they are in the database, by the names that they land under, in their order.
    """

    sql: str
    columns: Mapping[str, PostgresColumn]

    def query(self, source: str, load_id: str) -> str:
        """Return the query of DuckDB for the rows as they land, of an attached database."""
        values = [
            f"{each.received(f'c{at}')} as {quoted(name)}"
            for at, (name, each) in enumerate(self.columns.items())
        ]
        selected = ", ".join([*values, f"{literal(load_id)} as {LOAD_ID_COLUMN}"])
        return f"select {selected} from postgres_query({literal(source)}, {literal(self.sql)})"

    @property
    def origins(self) -> dict[str, str]:
        """The JSON pointer of each column."""
        return {name: pointer((each.name,)) for name, each in self.columns.items()}


def copy_rows(
    settings: SqlSettings, connect: dict[str, Any], statement: Statement, load_id: str, path: Path
) -> int:
    """Write the statement's rows, and return how many there are.

    Args:
        settings: of the table.
        connect: what libpq connects with.
        statement: what is read.
        load_id: of the load that the rows become.
        path: of the parquet file to write.

    Raises:
        SourceError: the statement failed, or a value has no exact form.
        duckdb.IOException: the file cannot be written.
    """
    with _attached(connect) as (connection, source):
        try:
            [(rows,)] = connection.execute(
                f"copy ({statement.query(source, load_id)}) to {literal(str(path))} "
                "(format parquet, compression zstd, compression_level 1, "
                f"row_group_size {settings.chunk_rows}, row_group_size_bytes {ROW_GROUP_BYTES}, "
                f"{file_metadata(statement.origins)})"
            ).fetchall()
            refuse_unbounded(settings, connection, path)
        except duckdb.Error as error:
            if isinstance(error, duckdb.IOException) and str(path) in str(error):
                raise
            failure = _explained(settings, error)
        else:
            return rows
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

    It only hands rows on, and keeps no more than a row group, so that it needs no folder to spill
    to. With more threads an error of the server can come as "Interrupted"; one reads as fast.

    Args:
        _process: the id of the process, because a fork must not go on with its parent's.
    """
    budget = duckdb_budget()
    # In order, row groups could not be bounded in bytes.
    settings: dict[str, Any] = {"preserve_insertion_order": False, "temp_directory": ""}
    settings |= trusted("postgres_scanner")
    connection = duckdb.connect(config={**budget.settings(), **settings, "threads": 1})
    load_extension(connection, "postgres_scanner")
    return connection


def _explained(settings: SqlSettings, error: Exception) -> SourceError:
    """Return what to do about an error of the statement, apart from the error."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return SourceError(
            f"{settings.place}: {settings.chunk_rows} rows do not fit into the memory that DuckDB "
            f"may take: raise {MEMORY_SETTING} (now {duckdb_budget().memory // 1_000_000}MB), or "
            "lower chunk_rows, down to 2048"
        )
    reason = _REASON.search(str(error))
    if reason is None:
        return explained(settings, error)
    return SourceError(
        f"{settings.place}: {reason[1]}, which no decimal of Arrow is: leave the column out with "
        "`exclude`, or write a `query` that makes it null or text"
    )
