"""What a run over many months says of each: metadata for the good ones, one error for the bad."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from pipelines_project.months import stretches
from pipelines_project.orchestration.contents import data_version, materialization

_MATERIALIZE = "dagster asset materialize -m pipelines_project.definitions"


@dataclass(frozen=True)
class MonthResult:
    """One month of a run.

    Attributes:
        month: the month.
        metadata: that of its materialization.
        error: why it failed, if it did.
        error_type: the name of the exception's type, by which advice is given.
    """

    month: str
    metadata: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    error_type: str | None = None


def attempt(
    month: str, work: Callable[[], dict[str, Any]], describe: Callable[[Exception], str] = str
) -> MonthResult:
    """Return what `work` says of the month; an error is a result, so that other months go on."""
    try:
        return MonthResult(month, work())
    except Exception as error:
        said = describe(error) or repr(error)
        return MonthResult(month, error=said, error_type=type(error).__name__)


@contextmanager
def recorded_if_interrupted(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    key: dg.AssetKey,
    results: Sequence[MonthResult],
) -> Generator[None]:
    """Record the months that are done if the run is canceled or reaches its maximum runtime.

    Dagster records the months of a run when its step ends, and an interrupted one ends without.
    To log each month as it is done is no way: Dagster would record it again at the step's end, and
    automation takes every record for an update, so that it would load each month twice.

    Args:
        context: of the step.
        key: the asset that the step materializes, or a part of.
        results: one for each month so far; the list grows meanwhile.
    """
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        _log(context, key, results)
        raise


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
    if failed := [result for result in results if result.error]:
        _log(context, context.asset_key, results)
        reasons = "\n".join(f"- {result.month}: {result.error}" for result in failed)
        raise dg.Failure(
            f"{len(failed)} of {len(results)} months of {context.asset_key.to_user_string()} "
            f"failed:\n{reasons}\n{advice}".rstrip(),
            allow_retries=False,
        )
    metadata = {result.month: result.metadata for result in results}
    if version := data_version(context.instance, context.asset_key, metadata):
        context.set_data_version(context.asset_key, version)
    for result in results:
        context.add_asset_metadata(
            result.metadata, asset_key=context.asset_key, partition_key=result.month
        )


def _log(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    key: dg.AssetKey,
    results: Sequence[MonthResult],
) -> None:
    """Record the good months as materialized, which Dagster does not do for a step that fails."""
    for result in results:
        if not result.error:
            context.log_event(materialization(key, result.metadata, result.month))


def materialize_commands(key: dg.AssetKey, months: Sequence[str], *, one_run: bool = True) -> str:
    """Return the commands that materialize months of an asset and what is made of them, marts too.

    Args:
        key: the asset.
        months: in any order.
        one_run: whether one run may take several months; else each has a command of its own.
    """
    selected = f"{_MATERIALIZE} --select 'key:\"{key.to_user_string()}\"+'"
    found = stretches(months) if one_run else [(month, month) for month in sorted(months)]
    return "\n".join(
        f"  {selected} --partition {first}"
        if first == last
        else f"  {selected} --partition-range {first}...{last}"
        for first, last in found
    )
