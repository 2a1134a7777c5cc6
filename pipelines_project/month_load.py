"""Loading one landed month into its warehouse table, as one transaction.

The table is `<source>.<table>`; its column `month` says which month a row came from. A ledger,
`ledger.loads`, records which load of each month the table holds, so that a month is loaded once
and an older load never replaces a newer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipelines_project.landing_zone import LandingZone, Load
from pipelines_project.month_folder import MonthFolder
from pipelines_project.table_columns import READ_FILES, match_columns, table_name
from pipelines_project.warehouse import WarehouseError, quoted, transaction

LEDGER = "ledger.loads"


class LoadChangedError(Exception):
    """The month was landed again while it was being loaded."""


@dataclass(frozen=True)
class LoadedMonth:
    """What the warehouse holds of a month: its load, its rows, and whether it had them before."""

    load_id: str
    rows: int
    skipped: bool


def replace_month(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    place: MonthFolder,
    key: Sequence[str],
    replace_newer_load: bool = False,
) -> LoadedMonth:
    """Make the warehouse's rows of a month those of its current load.

    The current load is read again before the commit. If it has changed, or another writer was in
    the way, the transaction is rolled back and tried again.

    Args:
        connection: from `Warehouse.connect`.
        landing: where the month was landed.
        place: which table and month.
        key: the columns that tell one row of a month from another.
        replace_newer_load: load the month although the warehouse holds a newer load of it, which
            must have been discarded from the landing zone.

    Raises:
        WarehouseError: the month was never landed, holds a key twice, has a type that cannot be
            reconciled, or is older in the landing zone than in the warehouse.
    """
    _create_ledger(connection, place.source)
    retrying = Retrying(
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        retry=retry_if_exception_type(
            (LoadChangedError, duckdb.TransactionException, duckdb.IOException)
        ),
        reraise=True,
    )
    return retrying(_replace_once, connection, landing, place, key, replace_newer_load)


def _replace_once(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    place: MonthFolder,
    key: Sequence[str],
    replace_newer_load: bool,
) -> LoadedMonth:
    source, table, month = place.source, place.table, place.month
    load = landing.current_files(source, table, month)
    if load is None:
        raise WarehouseError(f"{source}/{table} {month} was never landed: land it first")
    with transaction(connection):
        if held := _held_load(connection, place):
            if held == (load.load_id, _count(connection, place)):
                return LoadedMonth(*held, skipped=True)
            if not replace_newer_load:
                _refuse_older(place, load.load_id, held[0])
        columns = match_columns(connection, place, load.files)
        connection.execute(
            f"delete from {table_name(place)} where month = $month", {"month": month}
        )
        rows = _insert(connection, place, load, columns)
        _check_keys(connection, place, key)
        _write_ledger(connection, place, load.load_id, rows)
        if landing.current_load(source, table, month) != load.load_id:
            raise LoadChangedError(f"{source}/{table} {month} was landed again while it was loaded")
    return LoadedMonth(load.load_id, rows, skipped=False)


def _create_ledger(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    connection.execute(f"""
        create schema if not exists ledger;
        create schema if not exists {quoted(source)};
        create table if not exists {LEDGER} (
            source varchar, table_name varchar, month varchar, load_id varchar, row_count bigint
        )
    """)


_THIS_MONTH = "where source = $source and table_name = $table and month = $month"


def _parameters(place: MonthFolder) -> dict[str, Any]:
    return {"source": place.source, "table": place.table, "month": place.month}


def _held_load(connection: duckdb.DuckDBPyConnection, place: MonthFolder) -> tuple[str, int] | None:
    """Return the load id and the rows that the ledger states for the month."""
    return connection.execute(
        f"select load_id, row_count from {LEDGER} {_THIS_MONTH}", _parameters(place)
    ).fetchone()


def _write_ledger(
    connection: duckdb.DuckDBPyConnection, place: MonthFolder, load_id: str, rows: int
) -> None:
    connection.execute(f"delete from {LEDGER} {_THIS_MONTH}", _parameters(place))
    connection.execute(
        f"insert into {LEDGER} values ($source, $table, $month, $load_id, $rows)",
        {**_parameters(place), "load_id": load_id, "rows": rows},
    )


def _refuse_older(place: MonthFolder, landed: str, held: str) -> None:
    if float(held) > float(landed):
        raise WarehouseError(
            f"{place.source}/{place.table} {place.month}: the warehouse holds load {held}, the "
            f"landing zone only the older {landed}. If the newer one was discarded, load the "
            "month with the run config replace_newer_load: true"
        )


def _count(connection: duckdb.DuckDBPyConnection, place: MonthFolder) -> int:
    query = f"select count(*) from {table_name(place)} where month = $month"
    return connection.execute(query, {"month": place.month}).fetchall()[0][0]


def _insert(
    connection: duckdb.DuckDBPyConnection, place: MonthFolder, load: Load, columns: str
) -> int:
    """Insert the load's rows and return how many the month has now.

    Raises:
        WarehouseError: that is not the number of rows in the load's files.
    """
    connection.execute(
        f"insert into {table_name(place)} by name "
        f"select {columns}, $month as month from {READ_FILES}",
        {"files": load.files, "month": place.month},
    )
    landed = connection.execute(
        f"select count(*) from {READ_FILES}", {"files": load.files}
    ).fetchall()[0][0]
    if (rows := _count(connection, place)) != landed:
        raise WarehouseError(
            f"{place.source}/{place.table} {place.month}: {landed} rows landed, {rows} loaded"
        )
    return rows


def _check_keys(
    connection: duckdb.DuckDBPyConnection, place: MonthFolder, key: Sequence[str]
) -> None:
    columns = ", ".join(map(quoted, key))
    twice = connection.execute(
        f"""select {columns} from {table_name(place)} where month = $month
            group by {columns} having count(*) > 1 limit 3""",
        {"month": place.month},
    ).fetchall()
    if twice:
        raise WarehouseError(
            f"{place.source}/{place.table} {place.month}: more than one row with the same "
            f"{tuple(key)}, for example {twice}"
        )
