"""The evaluations of a check for each month of its run, beside the one of the whole run."""

from collections.abc import Mapping
from typing import Any, cast

import dagster as dg


def log_months(
    context: dg.AssetCheckExecutionContext,
    result: dg.AssetCheckResult,
    wrong: Mapping[str, str] | None = None,
) -> None:
    """Log an evaluation for each month of the run, which the check's result is not one of.

    Dagster plans one for each, and shows those that do not come as skipped.

    Args:
        context: of the check.
        result: of the whole run, with the key of its asset and its name.
        wrong: where its truth does not hold; where months are not told apart it holds in each or
            in none.
    """
    months = months_of_run(context)
    by_month = {month: text for month, text in (wrong or {}).items() if month in months}
    for month in months:
        passed = month not in by_month if by_month else result.passed
        evaluation = dg.AssetCheckEvaluation(
            asset_key=cast(dg.AssetKey, result.asset_key),
            check_name=str(result.check_name),
            passed=passed,
            severity=result.severity,
            description=_said(month, passed, by_month.get(month)),
            metadata={"wrong": by_month[month]} if month in by_month else {},
            partition=month,
        )
        # It is taken, although the types do not name it.
        context.op_execution_context.log_event(cast(Any, evaluation))


def _said(month: str, passed: bool, why: str | None) -> str:
    """Return what came of a month; the history of a check names it nowhere else."""
    return f"{month}: {why or ('holds' if passed else 'does not hold')}"


def months_of_run(context: dg.AssetCheckExecutionContext) -> list[str]:
    """Return the months of the check's run; none if it runs by itself."""
    run = context.op_execution_context
    is_of_months = run.has_partition_key or run.has_partition_key_range
    return list(run.partition_keys) if is_of_months else []
