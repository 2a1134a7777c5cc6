"""Rebuilding a warehouse table from the landing zone, while the old one can be read.

Every landed month is loaded into a table of the same name in the schema `<source>_rebuilt`, by the
same code as ever. Then that takes the place of the old table, in one transaction. A run that is
killed leaves the old table as it was, and what it has built to be removed by the next one.
"""

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.names import LEDGER_SCHEMA, quarantine_table, rebuilt_schema
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.warehouse.columns import column_types, table_name
from pipelines_project.warehouse.conflicts import retried
from pipelines_project.warehouse.database import WarehouseError, transaction
from pipelines_project.warehouse.ledger import (
    create_ledger,
    forget_loads,
    held_load,
    loaded_months,
    move_loads,
)
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.merge_month import MergeMonth
from pipelines_project.warehouse.rewriting import create_indexes, rewrite
from pipelines_project.warehouse.turns import WHOLE_WAREHOUSE, turn
from pipelines_project.warehouse.versions.record import shape_of


def rebuild_table(
    connection: duckdb.DuckDBPyConnection, months: Sequence[LandedMonth], loader: Loader
) -> dict[str, Loaded]:
    """Load the months into a new table, and put it in the place of the old one.

    Args:
        connection: from `Warehouse.connect`.
        months: all that are landed of one table.
        loader: how its rows enter it.

    Returns:
        What the new table holds of each month.

    Raises:
        WarehouseError: the old table holds what is not landed any more, or a month cannot be
            loaded; the old table stays.
    """
    place = months[0]
    create_ledger(connection, place.source)
    check_landed(connection, months)
    new = [replace(month, source=rebuilt_schema(month.source)) for month in months]
    _drop(connection, place)
    try:
        loaded = {month.month: load_month(connection, month, loader) for month in new}
        retried()(_swap, connection, months, new, loader)
    finally:
        _drop(connection, place)
    return loaded


def check_landed(connection: duckdb.DuckDBPyConnection, months: Sequence[LandedMonth]) -> None:
    """Refuse to rebuild a table that has months which are not landed any more.

    Raises:
        WarehouseError: names the months.
    """
    if not column_types(connection, LEDGER_SCHEMA, "loads"):
        return
    landed = {month.month for month in months}
    if lost := [m for m in loaded_months(connection, months[0]) if m not in landed]:
        raise WarehouseError(
            f"{table_name(months[0])} holds {', '.join(lost)}, which the landing zone has no load "
            "of: land them again first. Nothing was changed"
        )


def _swap(
    connection: duckdb.DuckDBPyConnection,
    months: Sequence[LandedMonth],
    new: Sequence[LandedMonth],
    loader: Loader,
) -> None:
    """Put the new table in the place of the old one, with its quarantine and its ledger."""
    # What was landed meanwhile.
    for month in new:
        load_month(connection, month, loader)
    place = months[0]
    with turn(connection, WHOLE_WAREHOUSE), transaction(connection):
        check_landed(connection, months)
        for old, month in zip(months, new, strict=True):
            _check_month(connection, old, month, loader)
        if isinstance(loader, MergeMonth):
            _check_keys(connection, place, new[0], loader)
        for table in (place.table, quarantine_table(place.table)):
            _take_place(connection, place.source, table)
        shape = shape_of(connection, place.source, place.table)
        create_indexes(connection, place.source, place.table, shape)
        forget_loads(connection, place.source, place.table)
        move_loads(connection, new[0], place.source)


def _check_month(
    connection: duckdb.DuckDBPyConnection, old: LandedMonth, new: LandedMonth, loader: Loader
) -> None:
    load, held, before = new.current_files(), held_load(connection, new), held_load(connection, old)
    is_newest = load and held and held.load_id == load.load_id
    if not load or not held or not is_newest:
        raise WarehouseError(f"{old} was landed while the table was rebuilt: run this again")
    if before and float(before.load_id) > float(held.load_id):
        raise WarehouseError(
            f"{old}: the warehouse holds load {before.load_id}, the landing zone only the older "
            f"{held.load_id}: load the month with replace_newer_load first. Nothing was changed"
        )
    if not loader.is_complete(connection, new, load, held.rows):
        raise WarehouseError(f"{old}: the new table has not the rows of the load")


def _check_keys(
    connection: duckdb.DuckDBPyConnection, old: LandedMonth, new: LandedMonth, loader: MergeMonth
) -> None:
    """Refuse to lose rows that moved on to a month which has not been landed again since."""
    if loader.key not in column_types(connection, old.source, old.table):
        return
    key = quoted(loader.key)
    query = f"select {key} from {table_name(old)} anti join {table_name(new)} using ({key}) limit 3"
    if lost := connection.execute(query).fetchall():
        raise WarehouseError(
            f"{table_name(old)} has rows that no landed load has any more, for example with "
            f"{loader.key} {lost}: land all months again first. Nothing was changed"
        )


def _take_place(connection: duckdb.DuckDBPyConnection, source: str, table: str) -> None:
    if column_types(connection, rebuilt_schema(source), table):
        rewrite(connection, source, table, qualified(rebuilt_schema(source), table))
    else:
        connection.execute(f"drop table if exists {qualified(source, table)}")


def _drop(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> None:
    """Remove what a rebuilding has made of the table, or one that was killed."""
    for table in (place.table, quarantine_table(place.table)):
        if column_types(connection, rebuilt_schema(place.source), table):
            connection.execute(f"drop table {qualified(rebuilt_schema(place.source), table)}")
    forget_loads(connection, rebuilt_schema(place.source), place.table)
