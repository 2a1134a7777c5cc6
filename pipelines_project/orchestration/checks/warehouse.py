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
from pipelines_project.orchestration.table_assets import warehouse_key
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import is_loaded


def have_unique_keys(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that a month of the warehouse table has each key once."""

    def wrong(looked: Looked) -> Wrong:
        names = looked.loaded_names(table.key)
        if not is_loaded(looked.warehouse, table.source, table.name, names):
            return {}
        key = ", ".join(map(quoted, names))
        doubled = looked.warehouse.rows(
            f"""
            select month, cast(count(*) - count(distinct ({key})) as varchar) || ' rows too many'
            from {qualified(table.source, table.name)}
            where list_contains($months, month)
            group by month
            having count(*) > count(distinct ({key}))
            """,
            {"months": looked.months},
        )
        return {month: f"{text}{_example(looked, month, key)}" for month, text in doubled}

    return monthly_check(
        table,
        warehouse_key(table),
        f"{table.name}_have_unique_keys",
        f"In a month, each ({', '.join(table.key)}) is one row.",
        wrong,
    )


def _example(looked: Looked, month: str, key: str) -> str:
    """Return one of the keys that a month has twice, as the end of a sentence."""
    found = looked.warehouse.rows(
        f"""
        select {key} from {qualified(looked.table.source, looked.table.name)}
        where month = $month group by all having count(*) > 1 limit 1
        """,
        {"month": month},
    )
    return (
        example(looked.table, dict(zip(looked.table.key, found[0], strict=True))) if found else ""
    )


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
    if not looked.is_loaded:
        return {}
    query = f"""
        select month, count(*) from {qualified(looked.table.source, looked.table.name)}
        where list_contains($months, month) group by month
    """
    return dict(looked.warehouse.rows(query, {"months": looked.months}))
