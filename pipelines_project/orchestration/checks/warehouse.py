"""The checks of warehouse tables whose months are complete in themselves."""

from dataclasses import replace

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.orchestration.checks.loaded_table import LoadedTable
from pipelines_project.orchestration.checks.looked import Looked, Wrong, example
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.table_assets import warehouse_key
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table


def have_unique_keys(table: Table) -> MonthlyCheck:
    """Return the check that a month of the warehouse table has each key once."""

    def wrong(looked: Looked) -> Wrong:
        loaded = looked.loaded()
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

    return MonthlyCheck(
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


def warehouse_rows_match_landing(table: Table) -> MonthlyCheck:
    """Return the check that the warehouse has as many rows of a month as its current load."""

    def wrong(looked: Looked) -> Wrong:
        if table.is_snapshot:
            looked = _of_newest_snapshot(looked)
        landed = dict[str, int]()

        def read(month: LandedMonth) -> str:
            load = month.current_files()
            landed[month.month] = load.record.rows_of(table.name) if load else 0
            return ""

        # Before the warehouse is open, which keeps others from a file.
        damaged = looked.where(read)
        loaded = _loaded_rows(looked)
        return damaged | {
            month: f"{rows} rows landed, {loaded.get(month, 0)} in the warehouse"
            for month, rows in landed.items()
            if rows != loaded.get(month, 0)
        }

    return MonthlyCheck(
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
    loaded = looked.loaded()
    return dict(loaded.rows(query, {"months": looked.months})) if loaded.is_there() else {}
