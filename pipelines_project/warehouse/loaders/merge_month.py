"""The loader for sources that list what changed: of each key the newest version is kept.

A row that moves on to a later month leaves the month it was landed for, and rows that no load has
any more stay: loading a month, however old, never takes a row away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import READ_FILES, readable
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.columns import table_name
from pipelines_project.warehouse.database import UnfitMonthError, WarehouseError

VERSION_COLUMN = "updated_at"


@dataclass(frozen=True)
class MergeMonth:
    """Lets a load's rows in where they are the newest of their key.

    The newest `updated_at` wins. When two are equal, the load that comes in does: the ledger sees
    to it that this is the newer one. Within a load it is the row with the last of the marks.

    Attributes:
        key: the column that is unique in the whole table.
        marks: boolean columns; of equal versions in a load the one with a later mark wins.
    """

    key: str
    marks: Sequence[str] = ()
    months_meet: ClassVar[bool] = True
    keeps_other_months: ClassVar[bool] = True

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        """Merge the load's rows, and return how many the load has."""
        files = {"files": load.files}
        connection.execute(_DELETE.format(table=table_name(place), key=quoted(self.key)), files)
        statement = _INSERT.format(
            table=table_name(place),
            key=quoted(self.key),
            columns=columns,
            order=", ".join(_descending(self.marks)),
        )
        connection.execute(statement, {**files, "month": place.month})
        _check(connection, place, load, self.key)
        count = connection.execute(f"select count(*) from {READ_FILES}", files)
        return count.fetchall()[0][0]

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        """Tell whether the table has every key of the load, in its version or a newer one."""
        with readable(place, load) as here:
            missing, _ = missing_rows(connection, place, here.files, self.key)
        return not missing


def missing_rows(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, files: list[str], key: str
) -> tuple[int, Any]:
    """Return how many keys of the files the table lacks or has older, and the least of them."""
    query = _MISSING.format(table=table_name(place), key=quoted(key))
    return connection.execute(query, {"files": files}).fetchall()[0]


def _descending(marks: Sequence[str]) -> list[str]:
    """Return the order of a key's rows in a load: the newest, then the last mark, comes first."""
    ranks = [f"{quoted(mark)} desc nulls last" for mark in reversed(marks)]
    return [f"{VERSION_COLUMN} desc", *ranks]


def _check(connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, key: str) -> None:
    missing, _ = missing_rows(connection, place, load.files, key)
    if missing:
        raise UnfitMonthError(
            f"{place}: {missing} rows have no {key} or no {VERSION_COLUMN}, or were not loaded"
        )
    query = _DOUBLED.format(table=table_name(place), key=quoted(key))
    if doubled := connection.execute(query).fetchall():
        raise WarehouseError(f"{place}: rows with the same {key}, for example {doubled}")


_NEWEST = f"""
    select {{key}} as landed_key, max({VERSION_COLUMN}) as landed_version
    from {READ_FILES} group by all
"""

# Rows of the table that the load has in the same or a newer version.
_DELETE = f"""
    delete from {{table}} using ({_NEWEST}) as newest
    where {{key}} = landed_key and {VERSION_COLUMN} <= landed_version
"""

# A key that the table still has, it has in a newer version than the load.
_INSERT = f"""
    insert into {{table}} by name
    select {{columns}}, $month as month
    from (
        select * from {READ_FILES}
        qualify row_number() over (partition by {{key}} order by {{order}}) = 1
    )
    where {{key}} not in (select {{key}} from {{table}})
"""

_MISSING = f"""
    select count(*), min(landed_key) from ({_NEWEST}) left join {{table}} on {{key}} = landed_key
    where {{key}} is null or {VERSION_COLUMN} is null or landed_version is null
        or {VERSION_COLUMN} < landed_version
"""

_DOUBLED = "select {key} from {table} group by {key} having count(*) > 1 limit 3"
