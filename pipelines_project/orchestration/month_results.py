"""What a run over many months says of each: metadata for the good ones, one error for the bad."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from pipelines_project.months import stretches

_MATERIALIZE = "dagster asset materialize -m pipelines_project.definitions"


@dataclass(frozen=True)
class MonthResult:
    """One month of a run: the metadata of its materialization, or why it failed."""

    month: str
    metadata: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def attempt(
    month: str, work: Callable[[], dict[str, Any]], describe: Callable[[Exception], str] = str
) -> MonthResult:
    """Return what `work` says of the month; an error is a result, so that other months go on."""
    try:
        return MonthResult(month, work())
    except Exception as error:
        return MonthResult(month, error=describe(error) or repr(error))


def record(
    context: dg.AssetExecutionContext, results: Sequence[MonthResult], advice: str = ""
) -> None:
    """Record the good months as materialized, with a month's own metadata each.

    Args:
        context: of the step that materializes the asset.
        results: one for each month of the run.
        advice: what to do now, for the error's end.

    Raises:
        dagster.Failure: names the months that failed, and why. Dagster then records nothing by
            itself, so the good months are logged one by one before.
    """
    failed = [result for result in results if result.error]
    good = [result for result in results if not result.error]
    for result in good:
        if failed:
            event = dg.AssetMaterialization(
                context.asset_key, partition=result.month, metadata=result.metadata
            )
            context.log_event(event)
        else:
            context.add_asset_metadata(
                result.metadata, asset_key=context.asset_key, partition_key=result.month
            )
    if failed:
        reasons = "\n".join(f"- {result.month}: {result.error}" for result in failed)
        raise dg.Failure(
            f"{len(failed)} of {len(results)} months of {context.asset_key.to_user_string()} "
            f"failed:\n{reasons}\n{advice}".rstrip(),
            allow_retries=False,
        )


def materialize_commands(key: dg.AssetKey, months: Sequence[str]) -> str:
    """Return the commands that materialize the months of an asset, one for an unbroken stretch."""
    selected = f"{_MATERIALIZE} --select {key.to_user_string()}"
    return "\n".join(
        f"  {selected} --partition {first}"
        if first == last
        else f"  {selected} --partition-range {first}...{last}"
        for first, last in stretches(months)
    )
