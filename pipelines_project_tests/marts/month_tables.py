"""Tables of a warehouse with months, as loads leave them, and marts over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines_project.marts.build_months import BuiltMonths, build_months
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.sql_text import qualified
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.ledger import create_ledger

Rows = Iterable[tuple[Any, ...]]


@dataclass
class MonthTables:
    """The schema `demo` of a warehouse: tables that are loaded month by month."""

    warehouse: Warehouse
    folder: Path
    loads: int = 0

    def load(self, table: str, columns: str, month: str, rows: Rows) -> None:
        """Replace a month of a table, which is created if need be, as a load does.

        Args:
            table: the table.
            columns: its columns with their types, without `month`.
            month: the month.
            rows: its rows, without the month.
        """
        self.loads += 1
        name = qualified("demo", table)
        with self.warehouse.connect() as connection:
            create_ledger(connection, "demo")
            connection.execute(f"create table if not exists {name} ({columns}, month varchar)")
            connection.execute(f"delete from {name} where month = ?", [month])
            values = [[*row, month] for row in rows]
            if values:
                places = ", ".join("?" * len(values[0]))
                connection.executemany(f"insert into {name} values ({places})", values)
            this = [table, month]
            connection.execute("delete from ledger.loads where table_name = ? and month = ?", this)
            added = ["demo", *this, str(self.loads), len(values)]
            connection.execute("insert into ledger.loads values (?, ?, ?, ?, ?, null, null)", added)

    def mart(self, sql: str, name: str = "by_month", header: str = "incremental: month") -> Mart:
        """Return a mart with this SQL."""
        path = self.folder / f"{name}.sql"
        path.write_text(f"-- {header}\n{sql}")
        return Mart("demo", parse_model(path))

    def build(self, mart: Mart, *months: str, full_refresh: bool = False) -> BuiltMonths:
        """Build months of the mart."""
        return build_months(self.warehouse, mart, months, full_refresh=full_refresh)

    def rows(self, mart: Mart) -> list[tuple[Any, ...]]:
        """Return the rows of the mart's table."""
        return self.warehouse.rows(f"select * from {mart.table} order by all")

    def rows_of_full_build(self, mart: Mart) -> list[tuple[Any, ...]]:
        """Return the rows that the whole SELECT answers now."""
        return self.warehouse.rows(f"select * from ({mart.model.sql}\n) order by all")
