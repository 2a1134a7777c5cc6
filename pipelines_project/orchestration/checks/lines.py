"""The checks of a table of lines: none is lost, and how many did not fit."""

from functools import partial

import dagster as dg

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.names import quarantine_table
from pipelines_project.orchestration.checks.looked import Looked, Wrong
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.sources.files.file_table import Settings, lines_of
from pipelines_project.table import Table


def every_line_is_accounted_for(table: Table, settings: Settings) -> MonthlyCheck:
    """Return the check that counts a month's lines in its files, rows and quarantined lines.

    Of a snapshot only the current month's files are still there.
    """

    def wrong(looked: Looked) -> Wrong:
        return looked.where(partial(_difference, settings))

    return MonthlyCheck(
        table,
        landing_key(table),
        "every_line_is_accounted_for",
        "Each month's files hold as many lines as are landed and quarantined.",
        wrong,
        only_current_month=table.is_snapshot,
    )


def no_lines_are_quarantined(table: Table) -> MonthlyCheck:
    """Return the check that warns of lines that did not fit, with their number."""

    def wrong(looked: Looked) -> Wrong:
        return looked.where(_quarantined)

    return MonthlyCheck(
        table,
        landing_key(table),
        "no_lines_are_quarantined",
        "No line of a month is in the quarantine table instead of the table.",
        wrong,
        severity=dg.AssetCheckSeverity.WARN,
    )


def _difference(settings: Settings, month: LandedMonth) -> str:
    load = month.current_files()
    lines = lines_of(settings, month.month)
    landed, quarantined = _counts(month)
    others = int(load.record.fetched.get("lines_of_other_months", 0)) if load else 0
    if lines == landed + quarantined + others:
        return ""
    return (
        f"{lines} lines in {len(settings.folder.files(month.month))} files, {landed} rows landed "
        f"and {quarantined} lines quarantined"
        + (f", {others} of other months" if others else "")
        + ": land the month again"
    )


def _quarantined(month: LandedMonth) -> str:
    _, quarantined = _counts(month)
    return f"{quarantined} lines quarantined" if quarantined else ""


def _counts(month: LandedMonth) -> tuple[int, int]:
    """Return the rows of the month's current load and its quarantined lines."""
    load = month.current_files()
    if load is None:
        return 0, 0
    return load.record.rows_of(month.table), load.record.rows_of(quarantine_table(month.table))
