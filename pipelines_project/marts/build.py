"""Marts: which there are over a table, and building one as a table of the warehouse."""

from collections.abc import Collection
from dataclasses import dataclass
from graphlib import TopologicalSorter

import duckdb

from pipelines_project.marts.content import columns_of, content_of
from pipelines_project.marts.model import SqlModel
from pipelines_project.names import marts_schema
from pipelines_project.warehouse.columns import column_types
from pipelines_project.warehouse.database import Warehouse, qualified, quoted, transaction
from pipelines_project.warehouse.load_month import retried


@dataclass(frozen=True)
class Mart:
    """A model, and the source whose it is: the table `<source>_marts.<name>`."""

    source: str
    model: SqlModel

    @property
    def schema(self) -> str:
        """The schema of its table."""
        return marts_schema(self.source)

    @property
    def name(self) -> str:
        """The name of its table."""
        return self.model.name


@dataclass(frozen=True)
class Built:
    """A mart as it was built.

    Attributes:
        rows: how many it has.
        schema: the type of each column.
        content: what its rows come to; equal for equal rows.
        unchanged: whether it had the same rows before, so that its table was not swapped.
    """

    rows: int
    schema: dict[str, str]
    content: str
    unchanged: bool = False


def marts_over(tables: Collection[str], marts: Collection[Mart]) -> list[Mart]:
    """Return the marts that read any of the tables, or a mart that does, in the order to build.

    Args:
        tables: names as SQL has them, `schema.table`.
        marts: all there are.
    """
    by_name = {f"{mart.schema}.{mart.name}": mart for mart in marts}
    reads = {name: mart.model.reads for name, mart in by_name.items()}
    over = {*tables}
    found: list[Mart] = []
    for name in TopologicalSorter(reads).static_order():
        if name in by_name and not over.isdisjoint(reads[name]):
            over.add(name)
            found.append(by_name[name])
    return found


def build(warehouse: Warehouse, mart: Mart) -> Built:
    """Replace the mart's table in one transaction; if the SQL fails, it stays as it was.

    A table that has the same rows already is not swapped.
    """
    with warehouse.connect() as connection:
        connection.execute(f"create schema if not exists {quoted(mart.schema)}")
        return retried()(_build_once, connection, mart)


def _build_once(connection: duckdb.DuckDBPyConnection, mart: Mart) -> Built:
    table, new = qualified(mart.schema, mart.name), qualified(mart.schema, f"{mart.name}__new")
    with transaction(connection):
        connection.execute(f"create table {new} as {mart.model.sql}")
        # Both are read back from the warehouse, which may keep some types as others.
        schema = columns_of(connection, new)
        rows, content = content_of(connection, new, schema)
        before = column_types(connection, mart.schema, mart.name)
        if before == schema and content_of(connection, table, schema) == (rows, content):
            connection.execute(f"drop table {new}")
            return Built(rows, schema, content, unchanged=True)
        connection.execute(f"drop table if exists {table}")
        connection.execute(f"alter table {new} rename to {quoted(mart.name)}")
    return Built(rows, schema, content)
