"""A warehouse table that a check asks, by one connection: each takes as long as a small query."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines_project.table import Table
from pipelines_project.warehouse.columns import is_loaded
from pipelines_project.warehouse.versions.record import shape_of


@dataclass(frozen=True)
class LoadedTable:
    """A table in the warehouse, and the connection that asks for it."""

    connection: duckdb.DuckDBPyConnection
    table: Table

    def is_there(self, columns: Iterable[str] = ()) -> bool:
        """Return whether any month was ever loaded, with these columns, so that it can be asked."""
        return is_loaded(self.connection, self.table.source, self.table.name, columns)

    def names(self, columns: Iterable[str]) -> list[str]:
        """Return what landed columns are called in the warehouse table."""
        return shape_of(self.connection, self.table.source, self.table.name).names(columns)

    def rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return what a query answers."""
        return self.connection.execute(query, parameters or {}).fetchall()
