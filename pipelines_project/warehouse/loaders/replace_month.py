"""The loader for sources whose month is complete in itself: the month's rows are its load's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import READ_FILES
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import MONTH_COLUMN, table_name, table_types
from pipelines_project.warehouse.database import UnfitMonthError, WarehouseError
from pipelines_project.warehouse.loaders.row_versions import has_history
from pipelines_project.warehouse.versions.record import shape_of

_SIZES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_WHOLE_NUMBERS = {*_SIZES, *(f"U{size}" for size in _SIZES)}
# As much memory as the numbers themselves take.
_BITS_A_ROW = 64


@dataclass(frozen=True)
class ReplaceMonth:
    """Deletes the month's rows and inserts those of its current load.

    Attributes:
        key: the columns that tell one row of a month from another; a load that has one twice is
            refused. Without any, rows are told apart by nothing, and only counted.
    """

    key: Sequence[str] = ()
    months_meet: ClassVar[bool] = False
    keeps_other_months: ClassVar[bool] = True

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        """Replace the month's rows, and return how many there are."""
        if has_history(connection, place):
            raise WarehouseError(
                f"{place}: {table_name(place)} has every version of its rows, and to load it "
                "without history would throw them away: set loader: history again. To give the "
                f"versions up, run the job {place.source}_rebuild_warehouse"
            )
        parameters = {"month": place.month}
        connection.execute(f"delete from {table_name(place)} where month = $month", parameters)
        connection.execute(
            f"insert into {table_name(place)} by name "
            f"select {columns}, $month as month from {READ_FILES}",
            {"files": load.files, **parameters},
        )
        key = shape_of(connection, place.source, place.table).names(self.key)
        _check_keys(connection, place, key)
        return _check_count(connection, place, load)

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        """Tell whether the month has as many rows as the ledger states."""
        return _count(connection, place) == rows and not has_history(connection, place)


def _count(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> int:
    query = f"select count(*) from {table_name(place)} where month = $month"
    return connection.execute(query, {"month": place.month}).fetchall()[0][0]


def _check_count(connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load) -> int:
    landed = connection.execute(f"select count(*) from {READ_FILES}", {"files": load.files})
    rows, loaded = landed.fetchall()[0][0], _count(connection, place)
    if rows != loaded:
        raise WarehouseError(f"{place}: {rows} rows landed, {loaded} loaded")
    return rows


def _check_keys(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, key: Sequence[str]
) -> None:
    there = table_types(connection, place)
    if missing := [name for name in key if name not in there]:
        if _count(connection, place):
            raise UnfitMonthError(
                f"{place}: key names {', '.join(missing)}, which is no column of its rows: there "
                f"are {', '.join(name for name in there if name != MONTH_COLUMN)}"
            )
        # A month without rows may come without columns.
        return
    if not key or (len(key) == 1 and _is_unique_number(connection, place, key[0], there[key[0]])):
        return
    columns = ", ".join(map(quoted, key))
    twice = connection.execute(
        f"""select {columns} from {table_name(place)} where month = $month
            group by {columns} having count(*) > 1 limit 3""",
        {"month": place.month},
    ).fetchall()
    if twice:
        raise UnfitMonthError(
            f"{place}: rows with the same {tuple(key)}, for example {twice}. The source has them "
            "twice, or `key` in defs.yaml does not tell rows apart"
        )


def _is_unique_number(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, name: str, kind: str
) -> bool:
    """Tell whether a column has as many whole numbers as there are rows, if that is told quickly.

    A bit for each number between the least and the greatest takes a third of the time of grouping.
    """
    if kind not in _WHOLE_NUMBERS:
        return False
    column, table = quoted(name), f"{table_name(place)} where month = $month"
    month = {"month": place.month}
    span = f"select count(*), min({column}), max({column}) from {table}"
    [(rows, least, most)] = connection.execute(span, month).fetchall()
    if least is None or most - least >= rows * _BITS_A_ROW:
        return False
    bits = f"select bit_count(bitstring_agg({column}, $least, $most)) from {table}"
    numbers = connection.execute(bits, {**month, "least": least, "most": most}).fetchall()[0][0]
    return numbers == rows
