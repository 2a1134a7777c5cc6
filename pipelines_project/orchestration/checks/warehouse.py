"""The checks of warehouse tables whose months are complete in themselves."""

from dataclasses import replace

import dagster as dg

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.orchestration.checks.frame import (
    Looked,
    Wrong,
    example,
    monthly_check,
)
from pipelines_project.orchestration.checks.loaded_table import LoadedTable
from pipelines_project.orchestration.table_assets import warehouse_key
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table


def have_unique_keys(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that a month of the warehouse table has each key once."""

    def wrong(looked: Looked) -> Wrong:
        with looked.loaded() as loaded:
            names = loaded.names(table.key)
            if not loaded.is_there(names):
                return {}
            key = ", ".join(map(quoted, names))
            doubled = loaded.rows(
                f"""
                select month, (count(*) - count(distinct ({key}))) || ' rows too many'
                from {qualified(table.source, table.name)}
                where list_contains($months, month)
                group by month
                having count(*) > count(distinct ({key}))
                """,
                {"months": looked.months},
            )
            return {month: f"{text}{_example(loaded, month, key)}" for month, text in doubled}

    return monthly_check(
        table,
        warehouse_key(table),
        f"{table.name}_have_unique_keys",
        f"In a month, each ({', '.join(table.key)}) is one row.",
        wrong,
    )


def _example(loaded: LoadedTable, month: str, key: str) -> str:
    """Return one of the keys that a month has twice, as the end of a sentence."""
    table = loaded.table
    found = loaded.rows(
        f"""
        select {key} from {qualified(table.source, table.name)}
        where month = $month group by all having count(*) > 1 limit 1
        """,
        {"month": month},
    )
    return example(table, dict(zip(table.key, found[0], strict=True))) if found else ""


def warehouse_rows_match_landing(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that the warehouse has as many rows of a month as its current load."""

    def wrong(looked: Looked) -> Wrong:
        if table.is_snapshot:
            looked = _of_newest_snapshot(looked)
        loaded = _loaded_rows(looked)

        def differs(month: LandedMonth) -> str:
            load = month.current_files()
            landed, held = (
                load.record.rows_of(table.name) if load else 0,
                loaded.get(month.month, 0),
            )
            return "" if landed == held else f"{landed} rows landed, {held} in the warehouse"

        return looked.where(differs)

    return monthly_check(
        table,
        warehouse_key(table),
        "warehouse_rows_match_landing",
        "The warehouse has as many rows of each month as the month's current load."
        if not table.is_snapshot
        else "The warehouse has as many rows as the newest snapshot.",
        wrong,
    )


def _of_newest_snapshot(looked: Looked) -> Looked:
    """Return the same look at the one month whose snapshot the warehouse is to hold."""
    landed = looked.landing.months(looked.table.source, looked.table.name)
    return replace(looked, months=landed[-1:])


def _loaded_rows(looked: Looked) -> dict[str, int]:
    query = f"""
        select month, count(*) from {qualified(looked.table.source, looked.table.name)}
        where list_contains($months, month) group by month
    """
    with looked.loaded() as loaded:
        return dict(loaded.rows(query, {"months": looked.months})) if loaded.is_there() else {}
