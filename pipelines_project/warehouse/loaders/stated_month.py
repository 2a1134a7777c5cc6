"""What a load states of its month, beside what the table has of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import READ_FILES, landed_types
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import table_name, table_types, target_names
from pipelines_project.warehouse.database import UnfitMonthError
from pipelines_project.warehouse.row_hash import row_hash
from pipelines_project.warehouse.versions.shape import Shape

CHANGED = "temp.history_changed_keys"
_INSTANTS = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE")


@dataclass(frozen=True)
class StatedMonth:
    """The rows of a month's load, with their hash.

    Attributes:
        connection: in a transaction.
        place: the landed month.
        load: its load.
        columns: the list that selects the load's columns.
        shape: what versions have made of the table.
        key: the columns of its key, as the table has them.
        version_column: the column that says since when a row is as it is, if there is one.
        is_whole: whether the month has every row there is.
    """

    connection: duckdb.DuckDBPyConnection
    place: LandedMonth
    load: Load
    columns: str
    shape: Shape
    key: Sequence[str]
    version_column: str | None
    is_whole: bool

    @property
    def keys(self) -> str:
        """The columns of the key as a list of SQL."""
        return ", ".join(map(quoted, self.key))

    def same_key(self, one: str, other: str) -> str:
        """Return the SQL that tells whether rows of two relations have one key."""
        return " and ".join(f"{one}.{k} = {other}.{k}" for k in map(quoted, self.key))

    def held_in(self, month: str) -> str:
        """Return the SQL that tells whether a version of the table held in a month."""
        if self.is_whole:
            return f"month <= {month} and (until_month is null or until_month > {month})"
        return f"month = {month}"

    @property
    def landed(self) -> str:
        """The SQL of the load's rows with their hash.

        A load without rows need not have every column.
        """
        landed = landed_types(self.connection, self.load.files)
        have = table_types(self.connection, self.place)
        there = {*target_names(landed, self.shape).values()}
        columns = self.columns
        for column in self._needed:
            if column not in have:
                raise UnfitMonthError(f"{self.place}: there is no column {column!r}")
            if column not in there:
                columns += f", cast(null as {have[column]}) as {quoted(column)}"
        return f"(select {columns}, {row_hash(landed)} as row_hash from {READ_FILES})"

    def check_rows(self) -> None:
        """Refuse a load without the columns that it needs, and rows that cannot be told apart.

        Raises:
            UnfitMonthError: it has such rows; it names some.
        """
        landed, types = self.landed, table_types(self.connection, self.place)
        version, files = self.version_column, {"files": self.load.files}
        if version and types[version] not in _INSTANTS:
            raise UnfitMonthError(
                f"{self.place}: the version column {version!r} is {types[version]}, and must be a "
                "time or a date"
            )
        needed = ", ".join(map(quoted, self._needed))
        missing = " or ".join(f"{quoted(column)} is null" for column in self._needed)
        query = f"select {needed} from {landed} where {missing} limit 3"
        if rows := self.connection.execute(query, files).fetchall():
            raise UnfitMonthError(f"{self.place}: rows without one of {needed}, for example {rows}")
        query = f"select {self.keys} from {landed} group by all having count(*) > 1 limit 3"
        if twice := self.connection.execute(query, files).fetchall():
            raise UnfitMonthError(
                f"{self.place}: rows with the same {tuple(self.key)}, for example {twice}. The "
                "source has them twice, or `key` in defs.yaml does not tell rows apart"
            )

    def find_changed_keys(self) -> int:
        """List the keys of which the load states something else than the table, and count them."""
        statement = f"""
            create or replace temp table {CHANGED} as
            select {self.keys} from {self.landed} as landed full join (
                select {self.keys}, row_hash from {table_name(self.place)}
                where {self.held_in("$month")}
            ) as held using ({self.keys})
            where landed.row_hash is distinct from held.row_hash
        """
        parameters = {"files": self.load.files, "month": self.place.month}
        self.connection.execute(statement, parameters)
        return self.connection.execute(f"select count(*) from {CHANGED}").fetchall()[0][0]

    @property
    def _needed(self) -> list[str]:
        return [*self.key, *([self.version_column] if self.version_column else [])]


def has_rows(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> bool:
    """Tell whether the month's table has any row, of whatever month."""
    return bool(connection.execute(f"from {table_name(place)} limit 1").fetchall())
