"""Building a mart: its rows, made beside its table, take the place of those that it has."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import duckdb

from pipelines_project.landing.content import columns_of, content_of
from pipelines_project.marts.gone_columns import gone_columns_told
from pipelines_project.marts.lineage import Origins, column_lineage
from pipelines_project.marts.mart import Mart, MissingTablesError
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.altering import stored_query
from pipelines_project.warehouse.columns import column_types, views
from pipelines_project.warehouse.conflicts import retried
from pipelines_project.warehouse.database import Warehouse, transaction
from pipelines_project.warehouse.sample import Sample, sample_of
from pipelines_project.warehouse.turns import of_table, turn


@dataclass(frozen=True)
class Built:
    """A mart as it was built.

    Attributes:
        rows: how many it has.
        schema: the type of each column.
        content: what its rows come to; equal for equal rows. None for a view, which has none.
        unchanged: whether it had the same rows before, so that its table was not swapped.
        origins: the tables and columns that each column is made from; none if sqlglot cannot tell.
        sample: a few of its rows, where they were asked for.
    """

    rows: int
    schema: dict[str, str]
    content: str | None = None
    unchanged: bool = False
    origins: Origins = field(default_factory=Origins)
    sample: Sample | None = None


def build(warehouse: Warehouse, mart: Mart, *, shows_rows: bool = False) -> Built:
    """Replace the mart's table in one transaction; if the SQL fails, it stays as it was.

    A table that has the same rows already is not swapped. Then the mart is published.

    Args:
        warehouse: the warehouse.
        mart: the model.
        shows_rows: whether a few rows are to be shown, because no person is in them.

    Raises:
        MissingTablesError: a table that it reads is not there.
        NotPublishedError: it is built, and its file is as it was.
    """
    with warehouse.connect() as connection:
        schema = f"create schema if not exists {quoted(mart.schema)}"
        retried()(connection.execute, schema)
        create_macros(connection, mart)
        work = _replace_view if mart.model.header.materialized == "view" else _build_once
        built = retried()(work, connection, mart)
        if file := mart.published(warehouse):

            def content() -> str:
                return content_of(connection, mart.table, built.schema)[1]

            file.publish(connection, mart.table, content)
        return replace(
            built,
            origins=origins_of(connection, mart, built.schema),
            sample=sample_of(connection, mart.schema, mart.name) if shows_rows else None,
        )


def _build_once(connection: duckdb.DuckDBPyConnection, mart: Mart) -> Built:
    with in_transaction(connection, mart):
        rows_sql = stored_query(connection, mart.model.sql)
        connection.execute(f"create table {mart.new_table} as {rows_sql}")
        # Both are read back from the warehouse, which may keep some types as others.
        schema = columns_of(connection, mart.new_table)
        rows, content = content_of(connection, mart.new_table, schema)
        before = column_types(connection, mart.schema, mart.name)
        is_same = before == schema and not is_view(connection, mart)
        if is_same and content_of(connection, mart.table, schema) == (rows, content):
            connection.execute(f"drop table {mart.new_table}")
            return Built(rows, schema, content, unchanged=True)
        swap_in(connection, mart)
    return Built(rows, schema, content)


def _replace_view(connection: duckdb.DuckDBPyConnection, mart: Mart) -> Built:
    with in_transaction(connection, mart):
        drop(connection, mart)
        connection.execute(f"create view {mart.table} as {mart.model.sql}")
        schema = columns_of(connection, mart.table)
        [(rows,)] = connection.execute(f"select count(*) from {mart.table}").fetchall()
    return Built(rows, schema)


def origins_of(
    connection: duckdb.DuckDBPyConnection, mart: Mart, columns: Iterable[str]
) -> Origins:
    """Return what each column of the mart is made from, as the tables it reads are now."""
    schemas = {name: column_types(connection, *name.split(".")) for name in mart.model.reads}
    return column_lineage(mart.model.query, schemas, [*columns])


def _refuse_missing_tables(connection: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    reads = mart.model.reads
    if missing := [name for name in reads if not column_types(connection, *name.split("."))]:
        raise MissingTablesError(mart, missing)


def create_macros(connection: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    """Create the macros that the mart can call, for the session."""
    for macro in mart.model.macros:
        connection.execute(macro.sql)


@contextmanager
def in_transaction(connection: duckdb.DuckDBPyConnection, mart: Mart) -> Generator[None]:
    """Give a transaction, in its turn, that begins and ends with the statements of the model.

    Raises:
        MissingTablesError: after the first of them, a table that the mart reads is not there.
        WarehouseError: a version has taken away a column that it reads.
    """
    with (
        gone_columns_told(connection, mart.model),
        turn(connection, of_table(mart.schema, mart.name)),
        transaction(connection),
    ):
        for statement in mart.model.before:
            connection.execute(statement)
        _refuse_missing_tables(connection, mart)
        yield
        for statement in mart.model.after:
            connection.execute(statement)


def swap_in(connection: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    """Put the table that was made beside the mart's in its place."""
    drop(connection, mart)
    connection.execute(f"alter table {mart.new_table} rename to {quoted(mart.name)}")


def drop(connection: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    """Drop what there is of the mart, a table or a view."""
    kind = "view" if is_view(connection, mart) else "table"
    connection.execute(f"drop {kind} if exists {mart.table}")


def is_view(connection: duckdb.DuckDBPyConnection, mart: Mart) -> bool:
    """Tell whether the warehouse has the mart as a view."""
    return mart.name in views(connection, mart.schema)
