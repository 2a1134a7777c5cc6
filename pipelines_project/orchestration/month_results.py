"""What a run over many months says of each: metadata for the good ones, one error for the bad."""

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from pipelines_project.months import in_words
from pipelines_project.orchestration.contents import data_version, materialization


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
    log: logging.Logger,
    month: str,
    work: Callable[[], dict[str, Any]],
    describe: Callable[[Exception], str] = str,
) -> MonthResult:
    """Return what `work` says of the month; an error is a result, so that other months go on.

    Args:
        log: where an error is logged as soon as it is there.
        month: the month.
        work: does it.
        describe: returns what an error says.
    """
    try:
        return MonthResult(month, work())
    except Exception as error:
        said = describe(error) or repr(error)
        log.error(f"{month} failed: {said}")
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


def refuse_failed(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    key: dg.AssetKey,
    results: Sequence[MonthResult],
    what_now: str,
) -> None:
    """Fail if a month has failed, having recorded the good ones.

    Args:
        context: of the step.
        key: the asset that the step materializes, or a part of.
        results: one for each month of the run.
        what_now: how the failed months were left and what to do, for the error's end.

    Raises:
        dagster.Failure: names the months that failed, and why. Dagster then records nothing by
            itself, so the good months are logged one by one before.
    """
    failed = [result for result in results if result.error]
    if not failed:
        return
    _log(context, key, results)
    raise dg.Failure(
        f"{len(failed)} of {len(results)} months of {key.to_user_string()} failed:\n"
        f"{_reasons(failed)}\n{what_now}".rstrip(),
        allow_retries=False,
    )


def _reasons(failed: Sequence[MonthResult]) -> str:
    """Return a line for each reason, with all months that failed for it."""
    months: dict[str, list[str]] = {}
    for result in failed:
        months.setdefault(result.error or "", []).append(result.month)
    return "\n".join(f"- {in_words(found)}: {error}" for error, found in months.items())


def record(context: dg.AssetExecutionContext, results: Sequence[MonthResult]) -> None:
    """Give each month's materialization its own metadata, in a run whose months are all good."""
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
