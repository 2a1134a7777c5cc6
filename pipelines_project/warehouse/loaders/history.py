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

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import (
    fitting_columns,
    table_name,
    table_types,
    target_names,
)
from pipelines_project.warehouse.database import UnfitMonthError, WarehouseError
from pipelines_project.warehouse.ledger import loaded_months, take_turn
from pipelines_project.warehouse.loaders.row_versions import (
    CHANGED,
    FIND_VERSIONS,
    IS_NEW,
    MONTHS_NAMED,
    UNTIL,
    VERSIONS,
)
from pipelines_project.warehouse.row_hash import row_hash

HISTORY_COLUMNS = {
    "valid_from": "TIMESTAMP WITH TIME ZONE",
    "valid_to": "TIMESTAMP WITH TIME ZONE",
    "is_current": "BOOLEAN",
    "row_hash": "VARCHAR",
    "until_month": "VARCHAR",
}
_KEPT = "temp.history_kept_rows"
_INSTANTS = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE")


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

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        """Write the versions that the load changes, and return how many rows it has."""
        self._add_columns(connection, place, load)
        take_turn(connection, place.source, place.table)
        rows = load.record.rows_of(place.table)
        if not rows and not _has_rows(connection, place):
            return rows
        landed = self._landed(connection, place, load, columns)
        self._check_rows(connection, place, load, landed)
        self._find_changed(connection, place, load, landed)
        self._find_versions(connection, place, load, landed)
        self._replace_versions(connection, place, load, landed)
        return rows

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        """Tell whether the table has as many rows that held in the month as the ledger states."""
        if not HISTORY_COLUMNS.keys() <= table_types(connection, place).keys():
            return False
        query = f"select count(*) from {table_name(place)} where {self._held_in('$month')}"
        return connection.execute(query, {"month": place.month}).fetchall() == [(rows,)]

    def changed_keys(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load
    ) -> int:
        """Return of how many keys the load states something else than the table."""
        if not HISTORY_COLUMNS.keys() <= table_types(connection, place).keys():
            return load.record.rows_of(place.table)
        if not load.record.rows_of(place.table) and not _has_rows(connection, place):
            return 0
        columns = fitting_columns(connection, place, load.files)
        landed = self._landed(connection, place, load, columns)
        self._find_changed(connection, place, load, landed)
        return connection.execute(f"select count(*) from {CHANGED}").fetchall()[0][0]

    def _held_in(self, month: str) -> str:
        """Return the SQL that tells whether a version of the table held in a month."""
        if self.whole_months:
            return f"month <= {month} and (until_month is null or until_month > {month})"
        return f"month = {month}"

    @property
    def _keys(self) -> str:
        return ", ".join(map(quoted, self.key))

    @property
    def _needed(self) -> list[str]:
        return [*self.key, *([self.version_column] if self.version_column else [])]

    def _landed(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> str:
        """Return the SQL of the load's rows with their hash, given the list that selects them.

        A load without rows need not have every column.
        """
        landed = landed_types(connection, load.files)
        have, there = table_types(connection, place), {*target_names(landed).values()}
        for column in self._needed:
            if column not in have:
                raise UnfitMonthError(f"{place}: there is no column {column!r}")
            if column not in there:
                columns += f", cast(null as {have[column]}) as {quoted(column)}"
        return f"(select {columns}, {row_hash(landed)} as row_hash from {READ_FILES})"

    def _add_columns(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load
    ) -> None:
        if taken := HISTORY_COLUMNS.keys() & landed_types(connection, load.files).keys():
            raise UnfitMonthError(
                f"{place}: the landed rows have {sorted(taken)}, which a table with history has "
                "for itself: rename them, or load the table without history"
            )
        name, have = table_name(place), table_types(connection, place)
        missing = [column for column in HISTORY_COLUMNS if column not in have]
        if missing and _has_rows(connection, place):
            raise WarehouseError(
                f"{place}: the rows of {name} were loaded without history. Load all months anew "
                f"with the job {place.source}_rebuild_warehouse"
            )
        for column in missing:
            connection.execute(f"alter table {name} add column {column} {HISTORY_COLUMNS[column]}")

    def _check_rows(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, landed: str
    ) -> None:
        """Refuse a load without the columns that it needs, and rows that cannot be told apart."""
        types, version = table_types(connection, place), self.version_column
        if version and types[version] not in _INSTANTS:
            raise UnfitMonthError(
                f"{place}: the version column {version!r} is {types[version]}, and must be a time "
                "or a date"
            )
        needed = ", ".join(map(quoted, self._needed))
        missing = " or ".join(f"{quoted(column)} is null" for column in self._needed)
        query = f"select {needed} from {landed} where {missing} limit 3"
        if rows := connection.execute(query, {"files": load.files}).fetchall():
            raise UnfitMonthError(f"{place}: rows without one of {needed}, for example {rows}")
        query = f"select {self._keys} from {landed} group by all having count(*) > 1 limit 3"
        if twice := connection.execute(query, {"files": load.files}).fetchall():
            raise UnfitMonthError(
                f"{place}: rows with the same {tuple(self.key)}, for example {twice}"
            )

    def _find_changed(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, landed: str
    ) -> None:
        """List the keys of which the load states something else than the table."""
        statement = f"""
            create or replace temp table {CHANGED} as
            select {self._keys} from {landed} as landed full join (
                select {self._keys}, row_hash from {table_name(place)}
                where {self._held_in("$month")}
            ) as held using ({self._keys})
            where landed.row_hash is distinct from held.row_hash
        """
        connection.execute(statement, {"files": load.files, "month": place.month})

    def _find_versions(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, landed: str
    ) -> None:
        """List every version of those keys, and in which row its values are.

        `_row_month` is the month of that row of the table, null for one of the load.
        """
        named = connection.execute(MONTHS_NAMED.format(table=table_name(place))).fetchall()
        months = {*loaded_months(connection, place), *(month for (month,) in named), place.month}
        version = quoted(self.version_column) if self.version_column else "null"
        statement = FIND_VERSIONS.format(
            table=table_name(place),
            landed=landed,
            keys=self._keys,
            version=f"cast({version} as timestamptz)",
            is_seen=self._held_in("_month"),
            is_new=IS_NEW if self.whole_months else "true",
            until=UNTIL if self.whole_months else "lead(month) over of_key",
        )
        connection.execute(
            statement, {"files": load.files, "month": place.month, "months": sorted(months)}
        )

    def _replace_versions(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, landed: str
    ) -> None:
        name, table = table_name(place), quoted(place.table)
        of_version = f"versions.* exclude (_row_month, {self._keys})"
        connection.execute(f"""
            create or replace temp table {_KEPT} as
            select held.* exclude (month, {", ".join(HISTORY_COLUMNS)}), {of_version}
            from {name} as held join {VERSIONS} as versions
            on {self._same_key("held", "versions")} and held.month = versions._row_month
        """)
        is_changed = self._same_key(table, "_changed")
        connection.execute(f"delete from {name} using {CHANGED} as _changed where {is_changed}")
        connection.execute(f"insert into {name} by name from {_KEPT}")
        connection.execute(
            f"""
            insert into {name} by name select landed.* exclude (row_hash), {of_version}
            from {landed} as landed join {VERSIONS} as versions
            on {self._same_key("landed", "versions")} and versions._row_month is null
            """,
            {"files": load.files},
        )

    def _same_key(self, one: str, other: str) -> str:
        return " and ".join(f"{one}.{k} = {other}.{k}" for k in map(quoted, self.key))


def _has_rows(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> bool:
    return bool(connection.execute(f"from {table_name(place)} limit 1").fetchall())
