"""What the warehouse has of a table or mart: its columns, and a few of its rows as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines_project.marts.mart import Mart
from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import MONTH_COLUMN, column_types

_ROWS = 3
# A page is no place for tables of hundreds of columns and texts of kilobytes.
_COLUMNS = 24
_CHARACTERS = 60


@dataclass(frozen=True)
class Column:
    """A column as the warehouse has it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Sample:
    """A few rows of the newest month, without what dlt adds to them.

    Attributes:
        columns: the first ones.
        rows: their values as text, the long ones cut off; None for null.
        is_cut: whether there are more columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    is_cut: bool


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
    is_shown = types and not has_persons
    sample = _sample(connection, schema, name, [*types]) if is_shown else None
    return Relation(schema, name, description, columns, sample, has_persons)


def _sample(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, columns: Sequence[str]
) -> Sample | None:
    table, shown = qualified(schema, name), [c for c in columns if c not in DLT_COLUMNS]
    cut = ", ".join(
        f"case when length({text}) > {_CHARACTERS} then {text}[:{_CHARACTERS}] || '…' "
        f"else {text} end"
        for text in (f"cast({quoted(column)} as varchar)" for column in shown[:_COLUMNS])
    )
    newest = f"where {MONTH_COLUMN} = (select max({MONTH_COLUMN}) from {table})"
    where = newest if MONTH_COLUMN in columns else ""
    rows = connection.execute(f"select {cut} from {table} {where} limit {_ROWS}").fetchall()
    return Sample(shown[:_COLUMNS], rows, len(shown) > _COLUMNS) if rows else None
