"""The checks of landed months: nothing stale, the current month fresh, files as recorded."""

from datetime import UTC, datetime

import dagster as dg

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.months import month_start
from pipelines_project.orchestration.checks.looked import Looked, Wrong
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.table import Table


def no_stale_files(table: Table) -> MonthlyCheck:
    """Return the check that no month's folder holds files that a later load has replaced."""

    def wrong(looked: Looked) -> Wrong:
        return looked.where(lambda month: ", ".join(month.stale_files(table.keep_loads)))

    return MonthlyCheck(
        table,
        landing_key(table),
        "no_stale_files",
        "No month's folder holds files that a later load has replaced.",
        wrong,
    )


def current_month_is_fresh(table: Table) -> MonthlyCheck:
    """Return the check that the current month was landed lately.

    The asset's freshness policy counts a backfill of an old month as fresh; this does not.
    """

    def wrong(looked: Looked) -> Wrong:
        [month] = looked.months
        load_id = looked.month(month).current_load()
        landed = datetime.fromtimestamp(float(load_id), UTC) if load_id else None
        late = datetime.now(UTC) - (landed or month_start(month)) > table.fresh_within
        return {month: f"last landed: {landed or 'never'}"} if late else {}

    return MonthlyCheck(
        table,
        landing_key(table),
        "current_month_is_fresh",
        f"The current month was landed within the last {table.fresh_within}.",
        wrong,
        # A warning, because a backfill of old months runs this check too and is no failure.
        severity=dg.AssetCheckSeverity.WARN,
        only_current_month=True,
    )


def landed_files_are_intact(table: Table) -> MonthlyCheck:
    """Return the check that the files of each month's current load are what was recorded."""

    def wrong(looked: Looked) -> Wrong:
        return looked.where(_check_content)

    return MonthlyCheck(
        table,
        landing_key(table),
        "landed_files_are_intact",
        "The files of each month's current load have the size and content that were recorded.",
        wrong,
    )


def _check_content(month: LandedMonth) -> str:
    if load := month.current_files():
        month.check_content(load.record)
    return ""
