"""The checks of warehouse tables that keep every version of a row."""

from functools import partial

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.read_files import readable
from pipelines_project.orchestration.checks.looked import Looked, Wrong, read_again_if_deleted
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.table_assets import warehouse_key
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table
from pipelines_project.warehouse.loaders.history import History


def versions_do_not_overlap(table: Table) -> MonthlyCheck:
    """Return the check that a key is one row at any instant, and that the last one is current."""

    def wrong(looked: Looked) -> Wrong:
        loaded = looked.loaded()
        if not loaded.is_there():
            return {}
        key = ", ".join(map(quoted, loaded.names(table.key)))
        overlapping = loaded.rows(
            f"""
            select month, cast(count(*) as varchar) || ' versions that overlap the next'
            from (
                select month, is_current, valid_to, lead(valid_from) over of_key as next_from
                from {qualified(table.source, table.name)}
                window of_key as (partition by {key} order by month)
            )
            where is_current is distinct from (valid_to is null)
                or (next_from is not null and (valid_to is null or valid_to > next_from))
            group by month order by month
            """
        )
        return dict(overlapping)

    return MonthlyCheck(
        table,
        warehouse_key(table),
        f"{table.name}_have_unique_keys",
        f"At any instant, each ({', '.join(table.key)}) is one row.",
        wrong,
    )


def warehouse_states_what_is_landed(table: Table, loader: History) -> MonthlyCheck:
    """Return the check that the versions of each month state the rows of its current load.

    Those of the newest month are the current rows where months are whole.
    """

    def wrong(looked: Looked) -> Wrong:
        loaded = looked.loaded()
        if loaded.is_there():
            return looked.where(partial(_differing, loaded.connection, loader))
        return looked.never_loaded()

    return MonthlyCheck(
        table,
        warehouse_key(table),
        "warehouse_rows_match_landing",
        "The versions that held in a month state the same as the month's current load.",
        wrong,
    )


@read_again_if_deleted
def _differing(connection: duckdb.DuckDBPyConnection, loader: History, month: LandedMonth) -> str:
    load = month.current_files()
    if load is None:
        return ""
    with readable(month, load) as here:
        keys = loader.changed_keys(connection, month, here)
    return f"{keys} keys differ" if keys else ""
