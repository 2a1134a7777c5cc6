"""Marts: which there are over a table, and building one as a table of the warehouse."""

from collections.abc import Collection
from dataclasses import dataclass
from graphlib import TopologicalSorter

from pipelines_project.marts.model import SqlModel
from pipelines_project.names import marts_schema
from pipelines_project.warehouse.database import Warehouse, qualified, quoted, transaction


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
    """A mart as it was built: its rows, and the type of each column."""

    rows: int
    schema: dict[str, str]


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
    """Replace the mart's table in one transaction; if the SQL fails, it stays as it was."""
    table = qualified(mart.schema, mart.name)
    with warehouse.connect() as connection:
        connection.execute(f"create schema if not exists {quoted(mart.schema)}")
        with transaction(connection):
            connection.execute(f"drop table if exists {table}")
            connection.execute(f"create table {table} as {mart.model.sql}")
        rows = connection.execute(f"select count(*) from {table}").fetchall()[0][0]
        columns = connection.execute(f"describe {table}").fetchall()
    return Built(rows, {name: kind for name, kind, *_ in columns})
