"""The checks of a table of lines: none is lost, and how many did not fit."""

from functools import partial

import dagster as dg

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.names import quarantine_table
from pipelines_project.orchestration.checks.frame import Looked, Wrong, monthly_check
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.sources.files.line_pieces import read_blocks
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.table import Table


def every_line_is_accounted_for(table: Table, folder: RawFolder) -> dg.AssetChecksDefinition:
    """Return the check that counts a month's lines in its files, rows and quarantined lines."""

    def wrong(looked: Looked) -> Wrong:
        return looked.where(partial(_difference, folder))

    return monthly_check(
        table,
        landing_key(table),
        "every_line_is_accounted_for",
        "Each month's files hold as many lines as are landed and quarantined.",
        wrong,
    )


def no_lines_are_quarantined(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that warns of lines that did not fit, with their number."""

    def wrong(looked: Looked) -> Wrong:
        return looked.where(_quarantined)

    return monthly_check(
        table,
        landing_key(table),
        "no_lines_are_quarantined",
        "No line of a month is in the quarantine table instead of the table.",
        wrong,
        severity=dg.AssetCheckSeverity.WARN,
    )


def _difference(folder: RawFolder, month: LandedMonth) -> str:
    files = folder.files(month.month)
    lines = sum(len(block.lines) + len(block.bad) for block in read_blocks(folder, files))
    landed, quarantined = _counts(month)
    if lines == landed + quarantined:
        return ""
    return (
        f"{lines} lines in {len(files)} files, {landed} rows landed and "
        f"{quarantined} lines quarantined: land the month again"
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
