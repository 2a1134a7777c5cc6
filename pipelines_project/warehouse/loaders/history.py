"""The loader that keeps every version of a row, and when it held (SCD2).

The table is a function of the current loads of its months, and of nothing else. So it does not
matter in which order months are loaded, how often, and which of them again.

What a month states:
    A key has one row a month. Where each month has every row there is (a snapshot, a monthly list),
    a key that a month lacks was deleted by then; months that are not loaded state nothing, so what
    was before goes on. Where a month has only rows of its own, a key that it lacks is left alone.

What a version is:
    Where each month is whole, the loaded months in a row that state the same of a key are one
    version: `month` is the first of them, `until_month` the first loaded month after them. A key
    that is back after it was deleted has a new version. Where months are not whole, each month that
    has a key is a version, and `until_month` the next month that has it.

When a version holds, from `valid_from` to before `valid_to`, which is null for the current one:
    From the first instant of `month` in UTC, or from the value of the version column if there is
    one: not before the version before it, and not before `month` where a key is back. To the next
    version, or to the first instant of the month that lacks the key. (Two versions with the same
    version value are in the order of their months, and the first holds for no time at all.)

A month that is landed again replaces what it stated. A row that it no longer has was never there
as far as this month goes, and the versions on either side of it meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import landed_types
from pipelines_project.warehouse.columns import fitting_columns, table_name, table_types
from pipelines_project.warehouse.database import UnfitMonthError, WarehouseError
from pipelines_project.warehouse.loaders.row_versions import (
    HISTORY_COLUMNS,
    find_versions,
    has_history,
    replace_versions,
)
from pipelines_project.warehouse.loaders.stated_month import StatedMonth, has_rows
from pipelines_project.warehouse.versions.record import shape_of


@dataclass(frozen=True)
class History:
    """Writes the versions anew of those keys of which the load states something else than before.

    Attributes:
        key: the columns that tell one row of a month from another.
        whole_months: whether each month has every row there is.
        version_column: the column that says since when a row is as it is, if there is one.
    """

    key: Sequence[str]
    whole_months: bool = False
    version_column: str | None = None
    months_meet: ClassVar[bool] = True
    keeps_other_months: ClassVar[bool] = True

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        """Write the versions that the load changes, and return how many rows it has."""
        _add_columns(connection, place, load)
        rows = load.record.rows_of(place.table)
        if not rows and not has_rows(connection, place):
            return rows
        stated = self._stated(connection, place, load, columns)
        stated.check_rows()
        stated.find_changed_keys()
        find_versions(stated)
        replace_versions(stated)
        return rows

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        """Tell whether the table has as many rows that held in the month as the ledger states."""
        if not has_history(connection, place):
            return False
        stated = self._stated(connection, place, load)
        query = f"select count(*) from {table_name(place)} where {stated.held_in('$month')}"
        return connection.execute(query, {"month": place.month}).fetchall() == [(rows,)]

    def changed_keys(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load
    ) -> int:
        """Return of how many keys the load states something else than the table."""
        if not has_history(connection, place):
            return load.record.rows_of(place.table)
        if not load.record.rows_of(place.table) and not has_rows(connection, place):
            return 0
        shape = shape_of(connection, place.source, place.table)
        columns = fitting_columns(connection, place, load.files, shape)
        return self._stated(connection, place, load, columns).find_changed_keys()

    def _stated(
        self,
        connection: duckdb.DuckDBPyConnection,
        place: LandedMonth,
        load: Load,
        columns: str = "",
    ) -> StatedMonth:
        """Return what the load states, given the list that selects its columns."""
        shape = shape_of(connection, place.source, place.table)
        key = tuple(shape.names(self.key))
        version = shape.name(self.version_column) if self.version_column else None
        return StatedMonth(connection, place, load, columns, shape, key, version, self.whole_months)


def _add_columns(connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load) -> None:
    if taken := HISTORY_COLUMNS.keys() & landed_types(connection, load.files).keys():
        raise UnfitMonthError(
            f"{place}: the landed rows have {sorted(taken)}, which a table with history has "
            "for itself: rename them, or load the table without history"
        )
    name, have = table_name(place), table_types(connection, place)
    missing = [column for column in HISTORY_COLUMNS if column not in have]
    if missing and has_rows(connection, place):
        raise WarehouseError(
            f"{place}: the rows of {name} were loaded without history. Load all months anew "
            f"with the job {place.source}_rebuild_warehouse"
        )
    for column in missing:
        connection.execute(f"alter table {name} add column {column} {HISTORY_COLUMNS[column]}")
