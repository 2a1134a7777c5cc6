"""What the warehouse has of a table or mart: its columns, and a few of its rows as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines_project.landing.sample import Sample
from pipelines_project.marts.mart import Mart
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import MONTH_COLUMN, column_types
from pipelines_project.warehouse.sample import sample_of


@dataclass(frozen=True)
class Column:
    """A column as the warehouse has it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Relation:
    """A table or mart.

    Attributes:
        schema: its schema in the warehouse.
        name: its name there.
        description: what one row is.
        columns: none if it is not there yet.
        sample: None if it has no rows, or may hold persons.
        has_persons: whether it may, so that no row is shown.
    """

    schema: str
    name: str
    description: str
    columns: Sequence[Column]
    sample: Sample | None
    has_persons: bool

    @property
    def full_name(self) -> str:
        """Its name in SQL."""
        return f"{self.schema}.{self.name}"

    @property
    def query(self) -> str:
        """A query to begin with."""
        has_months = any(column.name == MONTH_COLUMN for column in self.columns)
        order = f"\norder by {MONTH_COLUMN} desc" if has_months else ""
        return f"select *\nfrom {self.full_name}{order}\nlimit 100;"


def table_relation(
    connection: duckdb.DuckDBPyConnection, table: Table, *, has_persons: bool
) -> Relation:
    """Return what the warehouse has of a table.

    Args:
        connection: to the warehouse.
        table: the table.
        has_persons: whether its rows may name persons.
    """
    month = {MONTH_COLUMN: "the month for which the row was landed"}
    said = {**month, **table.column_descriptions}
    return _relation(connection, table.source, table.name, table.description, said, has_persons)


def mart_relation(
    connection: duckdb.DuckDBPyConnection, mart: Mart, *, has_persons: bool
) -> Relation:
    """Return what the warehouse has of a mart; see `table_relation`."""
    said = mart.model.column_descriptions
    return _relation(connection, mart.schema, mart.name, mart.model.description, said, has_persons)


def _relation(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    name: str,
    description: str,
    said: Mapping[str, str],
    has_persons: bool,
) -> Relation:
    types = column_types(connection, schema, name)
    columns = [Column(each, kind, said.get(each, "")) for each, kind in types.items()]
    sample = None if has_persons else sample_of(connection, schema, name)
    return Relation(schema, name, description, columns, sample, has_persons)
