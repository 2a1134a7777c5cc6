"""What Dagster recorded of a run, and tables of plain text to show it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg

_RANGE_START = "dagster/asset_partition_range_start"
_ROWS = ("dagster/partition_row_count", "dagster/row_count")


@dataclass(frozen=True)
class RunReport:
    """What one run materialized, how its checks went, and why its steps failed."""

    materialized: Sequence[dg.AssetMaterialization]
    checks: Sequence[dg.AssetCheckEvaluation]
    failures: Sequence[str]

    def assets(self) -> list[tuple[Any, ...]]:
        """Each asset with its months, rows and files; None where it has no such thing."""
        by_asset: dict[str, list[dg.AssetMaterialization]] = {}
        for each in self.materialized:
            by_asset.setdefault(each.asset_key.to_user_string(), []).append(each)
        return [
            (
                asset,
                len({each.partition for each in events if each.partition}) or None,
                _total(events, *_ROWS),
                _total(events, "files"),
            )
            for asset, events in by_asset.items()
        ]

    def check_summary(self) -> str:
        """How many checks passed, and which did not."""
        failed = [
            f"{check.asset_key.to_user_string()}: {check.check_name}"
            for check in self.checks
            if not check.passed
        ]
        passed = f"{len(self.checks) - len(failed)} of {len(self.checks)} checks passed"
        return "; not ".join([passed, ", ".join(failed)] if failed else [passed])


def report_of_range(instance: dg.DagsterInstance, first_month: str, since: datetime) -> RunReport:
    """Return what is recorded of the first run since then over a range from that month on.

    It is empty if there was no such run, as when the definitions cannot be loaded.
    """
    started = dg.RunsFilter(created_after=since, tags={_RANGE_START: first_month})
    runs = instance.get_run_records(started, limit=1, ascending=True)
    logs = [event for run in runs for event in instance.all_logs(run.dagster_run.run_id)]
    events = [event.dagster_event for event in logs if event.dagster_event]
    kinds = dg.DagsterEventType
    return RunReport(
        materialized=[event.asset_materialization for event in logs if event.asset_materialization],
        checks=[
            event.asset_check_evaluation_data
            for event in events
            if event.event_type == kinds.ASSET_CHECK_EVALUATION
        ],
        failures=[
            _reason(event.step_failure_data.error)
            for event in events
            if event.event_type == kinds.STEP_FAILURE
        ],
    )


def text_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return the rows below their header in aligned columns, numbers to the right."""
    texts = [header, *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [any(isinstance(row[n], int | float) for row in rows) for n in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in texts
    )


def _text(cell: Any) -> str:
    if cell is None:
        return "-"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _total(events: Sequence[dg.AssetMaterialization], *keys: str) -> int | None:
    values = [each.metadata[key].value for each in events for key in keys if key in each.metadata]
    numbers = [value for value in values if isinstance(value, int)]
    return sum(numbers) if numbers else None


def _reason(error: Any) -> str:
    """The innermost error, without where it was raised."""
    while error.cause:
        error = error.cause
    return error.message.strip()
