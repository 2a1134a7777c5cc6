"""The checks of tables whose months are merged: each `id` is one row, over all months."""

from collections.abc import Mapping, Sequence
from functools import partial

import dagster as dg
import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import readable
from pipelines_project.orchestration.checks.loaded_table import LoadedTable
from pipelines_project.orchestration.checks.looked import (
    Looked,
    Wrong,
    example,
    read_again_if_deleted,
)
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.table_assets import warehouse_key
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import is_loaded
from pipelines_project.warehouse.loaders.merge_month import VERSION_COLUMN, missing_rows


def have_unique_ids(table: Table) -> MonthlyCheck:
    """Return the check that the whole warehouse table has each id once."""

    def wrong(looked: Looked) -> Wrong:
        query = f"""
            select id, count(*), string_agg(month, ', ' order by month) from {_name(table)}
            group by id having count(*) > 1 order by id limit 10
        """
        loaded = looked.loaded()
        doubled = loaded.rows(query) if loaded.is_there() else []
        return {str(row_id): f"{rows} rows, of {months}" for row_id, rows, months in doubled}

    return MonthlyCheck(
        table,
        warehouse_key(table),
        f"{table.name}_have_unique_ids",
        "Each id is one row, over all months.",
        wrong,
    )


def updates_are_in_their_month(table: Table) -> MonthlyCheck:
    """Return the check that a row last changed in the month that it was landed for."""

    def wrong(looked: Looked) -> Wrong:
        query = f"""
            select month, count(*) || ' rows, from ' || min({VERSION_COLUMN}) || ' to '
                || max({VERSION_COLUMN})
            from {_name(table)}
            where list_contains($months, month)
                and strftime({VERSION_COLUMN}, '%Y-%m') is distinct from month
            group by month
        """
        loaded = looked.loaded()
        return dict(loaded.rows(query, {"months": looked.months}) if loaded.is_there() else [])

    return MonthlyCheck(
        table,
        warehouse_key(table),
        f"{table.name}_were_updated_in_their_month",
        f"The {VERSION_COLUMN} of a row lies in its month.",
        wrong,
    )


def warehouse_has_landed_rows(table: Table) -> MonthlyCheck:
    """Return the check that the warehouse has what is landed, or newer.

    A month of the table can have fewer rows than its load: those that moved on to a later month.
    """

    def wrong(looked: Looked) -> Wrong:
        loaded = looked.loaded()
        if loaded.is_there():
            return looked.where(partial(_missing, loaded.connection, table))
        return looked.never_loaded()

    return MonthlyCheck(
        table,
        warehouse_key(table),
        "warehouse_rows_match_landing",
        "The warehouse has every id of each month's current load, with at least its "
        f"{VERSION_COLUMN}.",
        wrong,
    )


@read_again_if_deleted
def _missing(connection: duckdb.DuckDBPyConnection, table: Table, month: LandedMonth) -> str:
    load = month.current_files()
    if load is None:
        return ""
    with readable(month, load) as here:
        missing, first = missing_rows(connection, month, here.files, table.key[0])
    if not missing:
        return ""
    return f"{missing} ids missing or older{example(table, {table.key[0]: first})}"


def references_are_known(table: Table, references: Mapping[str, Sequence[str]]) -> MonthlyCheck:
    """Return the check that what a row refers to is there, which only warns.

    What is unknown may have been deleted for good, or may not be landed yet.

    Args:
        table: the table whose rows refer to others.
        references: for each of its columns, the tables of the same source that may have the id.
    """
    others = sorted({other for known in references.values() for other in known})

    def wrong(looked: Looked) -> Wrong:
        loaded = looked.loaded()
        unknown = _unknown(loaded, references, others) if loaded.is_there() else {}
        return {
            column: f"unknown in {rows} rows{example(table, {landed: first})}"
            for column, (landed, rows, first) in unknown.items()
            if rows
        }

    return MonthlyCheck(
        table,
        warehouse_key(table),
        f"{table.name}_refer_to_known_rows",
        f"Every {', '.join(references)} is an id in {', '.join(others)}.",
        wrong,
        severity=dg.AssetCheckSeverity.WARN,
        additional_deps=tuple(dg.AssetKey(["warehouse", table.source, other]) for other in others),
    )


def _unknown(
    loaded: LoadedTable, references: Mapping[str, Sequence[str]], others: Sequence[str]
) -> dict[str, tuple[str, int, object]]:
    """Return by column: what it is called where it is landed, how many are unknown, and one."""
    table, found = loaded.table, dict[str, tuple[str, int, object]]()
    there = {name for name in others if is_loaded(loaded.connection, table.source, name)}
    for landed, known in references.items():
        ids_of = [name for name in known if name in there]
        for column in loaded.names([landed]):
            [(rows, first)] = loaded.rows(_unknown_query(table, column, ids_of))
            found[column] = (landed, rows, first)
    return found


def _unknown_query(table: Table, column: str, known: Sequence[str]) -> str:
    ids = [f"select id from {qualified(table.source, name)}" for name in known]
    among = " union all ".join(ids) or "select null where false"
    return (
        f"select count(*), min({quoted(column)}) from {_name(table)} as rows "
        f"where {quoted(column)} is not null and {quoted(column)} not in ({among})"
    )


def _name(table: Table) -> str:
    return qualified(table.source, table.name)
