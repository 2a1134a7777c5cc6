"""Loading one landed month into its warehouse table, as one transaction.

The table is `<source>.<table>`; its column `month` says which month a row was landed for. How a
load's rows enter the table is a `Loader`, one of those in `loaders/`.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import duckdb

from pipelines_project.landing.content import content_of_files
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import readable
from pipelines_project.warehouse.column_origins import origins_of_load, refuse_other_origins
from pipelines_project.warehouse.columns import column_count, table_name, table_types
from pipelines_project.warehouse.conflicts import LoadChangedError, retried
from pipelines_project.warehouse.database import UnfitMonthError, WarehouseError, transaction
from pipelines_project.warehouse.ledger import HeldLoad, create_ledger, held_load, write_ledger
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.match_columns import UnfitTableError, check_fit, match_columns
from pipelines_project.warehouse.memory import (
    EFFORTS,
    Effort,
    give,
    is_out_of_memory,
    too_little_memory,
)
from pipelines_project.warehouse.quarantine import load_quarantine
from pipelines_project.warehouse.refusals import refusal
from pipelines_project.warehouse.rewriting import create_indexes
from pipelines_project.warehouse.turns import WHOLE_WAREHOUSE, has_turns, of_month, of_table, turn
from pipelines_project.warehouse.versions.record import shape_of


@dataclass(frozen=True)
class Loaded:
    """What the warehouse holds of a month.

    Attributes:
        load_id: the load.
        rows: its rows.
        skipped: whether the warehouse had this load before.
        unchanged: whether it had the same rows before, from another load, so that they stay.
        content_hash: the content of the load, if it is known; loads of the same rows share it.
        columns: the type of each column of the table.
        conflicts: how often another transaction, or a new landing, was in the way before.
    """

    load_id: str
    rows: int
    skipped: bool
    unchanged: bool = False
    content_hash: str | None = field(default=None, compare=False)
    columns: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    conflicts: int = field(default=0, compare=False)


def load_month(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    loader: Loader,
    replace_newer_load: bool = False,
) -> Loaded:
    """Bring a month's current load into its table, unless the table holds it already.

    The current load is read again before the commit. If it has changed, or another writer was in
    the way, the transaction is rolled back and tried again; so it is, with more memory, if what
    DuckDB had was too little.

    Args:
        connection: from `Warehouse.connect`.
        place: the landed month.
        loader: how the rows enter the table.
        replace_newer_load: load the month although the warehouse holds a newer load of it, which
            must have been discarded from the landing zone.

    Raises:
        WarehouseError: the month was never landed, its rows do not fit the table or the memory
            that DuckDB may take, or the landing zone has only an older load than the warehouse.
    """
    reason = None
    for effort in EFFORTS:
        try:
            for attempt in retried():
                with attempt:
                    conflicts = attempt.retry_state.attempt_number - 1
                    loaded = _load_once(
                        connection, place, loader, replace_newer_load, effort, alone=conflicts > 0
                    )
                    return replace(loaded, conflicts=conflicts)
        except duckdb.Error as error:
            if told := refusal(connection, place, error):
                raise told from error
            if not is_out_of_memory(error):
                raise
            reason = error
    raise WarehouseError(f"{place}: {too_little_memory(table_name(place))}") from reason


def _load_once(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    loader: Loader,
    replace_newer_load: bool,
    effort: Effort,
    *,
    alone: bool,
) -> Loaded:
    """Load the month in its turn: beside other months if the table can stay as it is."""
    work = partial(_load, connection, place, loader, replace_newer_load, effort)
    if alone or not has_turns(connection):
        with turn(connection, WHOLE_WAREHOUSE):
            return work(may_alter=True)
    if not loader.months_meet:
        with suppress(UnfitTableError), turn(connection, of_month(place)):
            return work(may_alter=False)
    with turn(connection, of_table(place.source, place.table)):
        return work(may_alter=True)


def _load(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    loader: Loader,
    replace_newer_load: bool,
    effort: Effort,
    may_alter: bool,
) -> Loaded:
    load = place.current_files()
    if load is None:
        raise UnfitMonthError(f"{place} was never landed: land it first")
    create_ledger(connection, place.source)
    give(connection, effort(column_count(connection, place, load.record.schema)))
    with transaction(connection):
        held = held_load(connection, place)
        is_whole = _is_whole(connection, place, loader, load, held)
        if held and held.load_id == load.load_id and is_whole:
            content = load.record.content or held.content_hash
            columns = table_types(connection, place)
            return Loaded(held.load_id, held.rows, True, content_hash=content, columns=columns)
        if held and not replace_newer_load:
            _refuse_older(place, load.load_id, held.load_id)
        origins = origins_of_load(load.record)
        if loader.keeps_other_months:
            refuse_other_origins(connection, place, origins)
        with readable(place, load) as here:
            content = load.record.content or content_of_files(connection, here.files)
            same = held if held and is_whole and held.content_hash == content else None
            rows = same.rows if same else _write(connection, place, loader, here, may_alter)
            load_quarantine(connection, place, here)
        write_ledger(connection, place, HeldLoad(load.load_id, rows, content), origins)
        if place.current_load() != load.load_id:
            raise LoadChangedError(f"{place} was landed again while it was loaded")
        columns = table_types(connection, place)
    return Loaded(load.load_id, rows, False, same is not None, content, columns)


def _write(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    loader: Loader,
    load: Load,
    may_alter: bool,
) -> int:
    """Bring the load's rows into the table, whose shape the source's versions may have changed."""
    shape = shape_of(connection, place.source, place.table)
    if not may_alter:
        check_fit(connection, place, load.files, shape)
    columns = match_columns(connection, place, load.files, shape)
    rows = loader.write(connection, place, load, columns)
    create_indexes(connection, place.source, place.table, shape)
    return rows


def _is_whole(
    connection: duckdb.DuckDBPyConnection,
    place: LandedMonth,
    loader: Loader,
    load: Load,
    held: HeldLoad | None,
) -> bool:
    """Tell whether the table still holds what the ledger says; asked only where that can matter."""
    if held is None or held.rows != load.record.rows_of(place.table):
        return False
    is_there = bool(table_types(connection, place))
    return is_there and loader.is_complete(connection, place, load, held.rows)


def _refuse_older(place: LandedMonth, landed: str, held: str) -> None:
    if float(held) > float(landed):
        raise WarehouseError(
            f"{place}: the warehouse holds load {held}, the landing zone only the older {landed}. "
            "If the newer one was discarded, load the month with the run config "
            "replace_newer_load: true"
        )
