"""The loader for snapshots: the table's rows are those of the newest snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.warehouse.columns import table_name
from pipelines_project.warehouse.ledger import newest_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.loaders.row_versions import has_history


@dataclass(frozen=True)
class ReplaceTable:
    """Replaces all rows of the table by those of a load, unless it holds a later month's.

    Attributes:
        key: the columns that tell one row of a snapshot from another; a load that has one twice
            is refused.
    """

    key: Sequence[str] = ()
    months_meet: ClassVar[bool] = True
    keeps_other_months: ClassVar[bool] = False

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        """Replace the table's rows, and return how many the load has."""
        if _holds_later(connection, place) and not has_history(connection, place):
            return load.record.rows_of(place.table)
        connection.execute(f"delete from {table_name(place)}")
        return ReplaceMonth(self.key).write(connection, place, load, columns)

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        """Tell whether the table has the snapshot's rows and no others, or a later month's."""
        count = connection.execute(f"select count(*) from {table_name(place)}").fetchall()[0][0]
        of_month = ReplaceMonth(self.key).is_complete(connection, place, load, rows)
        is_later = _holds_later(connection, place) and not has_history(connection, place)
        return is_later or (count == rows and of_month)


def _holds_later(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> bool:
    return (newest_month(connection, place) or "") > place.month
