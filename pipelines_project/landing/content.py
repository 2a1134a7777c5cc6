"""The content of rows as one short text: equal for equal rows, in whatever order they come.

Rows that are there twice count twice, and names and types of columns are part of it. DuckDB
computes it, so that no row leaves the database, by its own hash, which is twenty times as fast as
one that stays the same with every version of DuckDB. After an update, a month is loaded or a mart
swapped once for nothing.
"""

import hashlib
from collections.abc import Mapping

import duckdb

from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sql_text import quoted
from pipelines_project.temporary import duckdb_session


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the name and type of each column of a table, or of a query in parentheses."""
    described = connection.execute(f"describe from {relation}").fetchall()
    return {name: kind for name, kind, *_ in described}


def content_of(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str]
) -> tuple[int, str]:
    """Return the number of rows of the relation and its content."""
    query = f"select {content_aggregates(columns)} from {relation}"
    [(rows, total)] = connection.execute(query).fetchall()
    return rows, content_text(columns, rows, total)


def content_of_load(files: list[str], quarantined: list[str]) -> str | None:
    """Return the content of a load of local files: of its rows, and of those that it refused.

    A load can be too wide for the memory that DuckDB may take here; its content is None.
    """
    try:
        with duckdb_session() as connection:
            contents = [content_of_files(connection, each) for each in (files, quarantined) if each]
    except duckdb.OutOfMemoryException:
        return None
    return contents[0] if len(contents) == 1 else _hashed(" ".join(contents))


def content_of_files(connection: duckdb.DuckDBPyConnection, files: list[str]) -> str:
    """Return the content of landed files, without what dlt adds to each row."""
    types = landed_types(connection, files)
    columns = {name: types[name] for name in sorted({*types} - {*DLT_COLUMNS})}
    query = f"select {content_aggregates(columns)} from {READ_FILES}"
    [(rows, total)] = connection.execute(query, {"files": files}).fetchall()
    return content_text(columns, rows, total)


def content_aggregates(columns: Mapping[str, str]) -> str:
    """Return the aggregates that a content is made of, for a select list."""
    # Hashed once more, because the sum of `hash(a, b)` alone can stay the same when two rows
    # exchange a value: its last step is an exclusive or. The text is for rows without columns.
    values = ", ".join(["''", *map(quoted, columns)])
    return f"count(*), coalesce(sum(hash(hash({values}))), 0)"


def content_text(columns: Mapping[str, str], rows: int, total: int) -> str:
    """Return the content, given what the aggregates answered."""
    return _hashed(f"{[*columns.items()]} {rows} {total}")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
