"""The op `<source>_<table>_land`: every month of a run, one new load each."""

from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from pipelines_project.landing.causes import is_passing_fault, root_cause
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed, as_landed, landed_since
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import in_words
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.delete_stale_files_op import tidied_months
from pipelines_project.orchestration.landed_months import Land, land_months
from pipelines_project.orchestration.metadata import landed_metadata, nothing_to_land_metadata
from pipelines_project.orchestration.month_results import (
    MonthResult,
    attempt,
    recorded_if_interrupted,
    refuse_failed,
)
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.orchestration.retried_run import began_before
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.orchestration.tidy import DeleteStaleFilesConfig, keep_loads_field
from pipelines_project.orchestration.what_now import what_now_of_landing
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.files.load_facts import remarks
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.table import Table

MONTH_ATTEMPTS = 3


class LandConfig(dg.Config):
    """What one run may do differently when it lands."""

    allow_shrink: bool | None = Field(
        default=None,
        description="Land a month even if most of its rows would go; default: the source's own.",
    )
    land_unchanged: bool = Field(
        default=False,
        description="Land a month again although its source says that nothing has changed.",
    )
    keep_loads: int | None = keep_loads_field()


def land_op(table: Table) -> dg.OpDefinition:
    """Return the op that lands the months of its run and hands on what came of each.

    If months fail, the op tidies and records the good ones before it fails.
    """

    @dg.op(
        name=f"{table.source}_{table.name}_land",
        description=f"Land each month of `{table.name}` as the parquet files of one new load.",
        pool=f"{table.source}_api",
        out=dg.Out(list),
    )
    def land(
        context: dg.OpExecutionContext, config: LandConfig, landing: dg.ResourceParam[LandingZone]
    ) -> list[MonthResult]:
        months = context.partition_keys
        again = materialize_commands(landing_key(table), months, one_run=not table.months_per_run)
        with told_plainly(
            landing_key(table).to_user_string(),
            f"Nothing was asked, and what was landed of {in_words(months)} before is unchanged. "
            f"Once mended:\n{again}",
        ):
            at_once = range(min(table.months_at_once, len(months)))
            lands = [_lander(context, table, landing, config) for _ in at_once]
        results: list[MonthResult] = []
        with recorded_if_interrupted(context, landing_key(table), results):
            land_months(months, lands, results)
        if any(result.error for result in results):
            # Dagster skips the op after one that fails, so the good months are tidied here.
            tidying = DeleteStaleFilesConfig(keep_loads=config.keep_loads)
            tidied = tidied_months(context, table, landing, tidying, results)
            refuse_failed(
                context, landing_key(table), tidied, what_now_of_landing(table, results, tidied)
            )
        return results

    return land


def _lander(
    context: dg.OpExecutionContext, table: Table, zone: LandingZone, config: LandConfig
) -> Land:
    """Return what lands one month after the other, with a session of its own."""
    calls = ApiCalls(log=context.log)
    extract = table.extractor(calls, zone)
    began = began_before(context.instance, context.run)

    def land(month: str) -> MonthResult:
        work = partial(_land, context, table, zone, month, extract, calls, config, began)
        return attempt(context.log, month, work, partial(why_failed, calls))

    return land


def _land(
    context: dg.OpExecutionContext,
    table: Table,
    zone: LandingZone,
    month: str,
    extract: Extract,
    calls: ApiCalls,
    config: LandConfig,
    began: float | None,
) -> dict[str, Any]:
    """Land one month, again if the fault may pass, and return its metadata."""
    place = table.month(zone, month)
    if reason := table.reason_to_skip(month):
        context.log.info(f"{month}: {reason}")
        load = place.current_files()
        kept = landed_metadata(table, as_landed(place, load.record)) if load else {}
        return {**nothing_to_land_metadata(reason), **kept}
    if began is not None and (landed := landed_since(place, began)):
        context.log.info(f"{month}: was landed by the run that this one goes on with")
        return {**landed_metadata(table, landed), "http_requests": 0}
    asked_before = calls.count
    retrying = Retrying(
        stop=stop_after_attempt(MONTH_ATTEMPTS),
        wait=wait_random_exponential(multiplier=1, max=30),
        retry=retry_if_exception(is_passing_fault),
        before_sleep=partial(_tell_retry, context, month, calls),
        reraise=True,
    )
    landed = retrying(
        land_month,
        place,
        extract,
        table.verify,
        land_unchanged=config.land_unchanged,
        allow_shrink=table.allow_shrink if config.allow_shrink is None else config.allow_shrink,
        column_names=table.column_names,
        shows_rows=table.shows_rows,
    )
    context.log.info(f"{month}: {_summary(landed)}")
    return {**landed_metadata(table, landed), "http_requests": calls.count - asked_before}


def _tell_retry(
    context: dg.OpExecutionContext, month: str, calls: ApiCalls, state: RetryCallState
) -> None:
    error = state.outcome.exception() if state.outcome else None
    context.log.warning(
        f"{month}: trying again in {state.upcoming_sleep:.1f} s (tried {state.attempt_number} "
        f"times): {why_failed(calls, error) if error else ''}"
    )


def _summary(landed: Landed) -> str:
    if landed.not_modified:
        return f"not modified since its {landed.rows} rows were landed as load {landed.load_id}"
    damage = landed.replaced_damaged
    why = f", in place of a damaged load ({damage})" if damage else ""
    said = remarks(landed.details)
    return (
        f"{landed.rows} rows landed as load {landed.load_id} in {landed.seconds} s{why}"
        f"{f'; {said}' if said else ''}"
    )


def why_failed(calls: ApiCalls, error: BaseException) -> str:
    """Return why a month failed: the innermost error, and what was asked last."""
    cause = root_cause(error)
    if isinstance(cause, SourceError | LandingError):
        return str(cause)
    asked = f" (the last request was for {calls.last_url})" if calls.last_url else ""
    return f"{type(cause).__name__}: {cause}{asked}"
