"""The checks of a table of lines: none is lost, and how many did not fit."""

from typing import NamedTuple

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.accounting import rows_in
from pipelines_project.orchestration.checks.tables import (
    check_result,
    months_to_check,
    read_again_if_deleted,
)
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.json.raw_lines import read_blocks
from pipelines_project.table import Table


def every_line_is_accounted_for(table: Table, folder: RawFolder) -> dg.AssetChecksDefinition:
    """Return the check that counts a month's lines in its files, rows and quarantined lines."""

    @dg.asset_check(
        asset=table.landing_key,
        name="every_line_is_accounted_for",
        description="Each month's files hold as many lines as are landed and quarantined.",
    )
    def check(context: dg.AssetCheckExecutionContext, landing: LandingZone) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)
        wrong = {month: _difference(table, folder, landing, month) for month in months}
        return check_result({month: text for month, text in wrong.items() if text}, months)

    return check


def no_lines_are_quarantined(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that warns of lines that did not fit, with their number."""

    @dg.asset_check(
        asset=table.landing_key,
        name="no_lines_are_quarantined",
        description="No line of a month is in the quarantine table instead of the table.",
    )
    def check(context: dg.AssetCheckExecutionContext, landing: LandingZone) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)
        counts = {month: _counts(table, landing, month).quarantined for month in months}
        wrong = {month: f"{count} lines quarantined" for month, count in counts.items() if count}
        return check_result(wrong, months, dg.AssetCheckSeverity.WARN)

    return check


class _Counts(NamedTuple):
    landed: int
    quarantined: int


def _difference(table: Table, folder: RawFolder, landing: LandingZone, month: str) -> str:
    files = folder.files(month)
    lines = sum(len(block.lines) + len(block.bad) for block in read_blocks(folder, files))
    counts = _counts(table, landing, month)
    if lines == sum(counts):
        return ""
    return (
        f"{lines} lines in {len(files)} files, {counts.landed} rows landed and "
        f"{counts.quarantined} lines quarantined: land the month again"
    )


@read_again_if_deleted
def _counts(table: Table, landing: LandingZone, month: str) -> _Counts:
    """Return the rows of the month's current load and its quarantined lines."""
    load = landing.current_files(table.source, table.name, month)
    if load is None:
        return _Counts(0, 0)
    refused = landing.quarantine_files(table.place(landing, month), load.load_id)
    return _Counts(rows_in(landing, load.files), rows_in(landing, refused))
