"""The op `<source>_<table>_delete_stale_files`: what a re-run of a month leaves behind goes."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg

from pipelines_project.glue.publication import publication_of
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.commands import job_commands
from pipelines_project.orchestration.month_results import (
    MonthResult,
    attempt,
    record,
    recorded_if_interrupted,
    refuse_failed,
)
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.orchestration.tidy import DeleteStaleFilesConfig, tidy
from pipelines_project.orchestration.what_now import what_now_of_landing
from pipelines_project.table import Table


def delete_stale_files_op(table: Table) -> dg.OpDefinition:
    """Return the op that deletes what is stale, after `land` or in a job of its own.

    It works from the storage alone, so it can run at any time and any number of times.
    """

    @dg.op(
        name=f"{table.source}_{table.name}_delete_stale_files",
        description=f"Delete the files of `{table.name}` that a later load of a month replaced.",
        ins={"landed": dg.In(list, default_value=[])},
        out=dg.Out(dg.Nothing),
    )
    def delete_stale_files(
        context: dg.OpExecutionContext,
        config: DeleteStaleFilesConfig,
        landing: dg.ResourceParam[LandingZone],
        landed: list[MonthResult],
    ) -> None:
        if context.has_assets_def:
            tidied = tidied_months(context, table, landing, config, landed)
            refuse_failed(
                context, landing_key(table), tidied, what_now_of_landing(table, landed, tidied)
            )
            record(dg.AssetExecutionContext.get(), tidied)
        else:
            months = [MonthResult(month) for month in context.partition_keys]
            tidied = _tidied(context, table, landing, config, months)
            _report(context, config, tidied)
            _refuse_untidied(table, config, tidied)

    return delete_stale_files


def tidied_months(
    context: dg.OpExecutionContext,
    table: Table,
    landing: LandingZone,
    config: DeleteStaleFilesConfig,
    landed: Sequence[MonthResult],
) -> list[MonthResult]:
    """Tidy the months that were landed; those that failed stay as they are.

    A month that is landed and not tidied yet is recorded too if the run is interrupted.
    """
    results = [*landed]
    with recorded_if_interrupted(context, landing_key(table), results):
        return _tidied(context, table, landing, config, results)


def _tidied(
    context: dg.OpExecutionContext,
    table: Table,
    landing: LandingZone,
    config: DeleteStaleFilesConfig,
    results: list[MonthResult],
) -> list[MonthResult]:
    """Tidy each month that is good, and put what came of it in the month's place."""
    publication = publication_of(table, landing)
    for number, month in enumerate(results):
        if not month.error:
            work = partial(tidy, table, landing, config, month, publication)
            results[number] = attempt(context.log, month.month, work)
    return results


def _report(
    context: dg.OpExecutionContext, config: DeleteStaleFilesConfig, results: list[MonthResult]
) -> None:
    """Report a run of the op alone, which materializes nothing."""
    for result in results:
        context.log.info(f"{result.month}: {result.error or _went(config, result.metadata)}")
    context.add_output_metadata({r.month: r.metadata for r in results if not r.error})


def _refuse_untidied(
    table: Table, config: DeleteStaleFilesConfig, results: Sequence[MonthResult]
) -> None:
    """Fail if a month was not tidied.

    Raises:
        dagster.Failure: names the months whose files could not all be deleted.
    """
    failed = [result for result in results if result.error]
    if not failed:
        return
    reasons = "\n".join(f"- {result.month}: {result.error}" for result in failed)
    # An id that was refused is not to be given again.
    wanted = config.model_dump(exclude_defaults=True, exclude={"discard_load_id"})
    job = f"{table.source}_delete_stale_files"
    raise dg.Failure(
        f"{len(failed)} of {len(results)} months of {landing_key(table).to_user_string()} were "
        f"not tidied:\n{reasons}\nThe current load of each is unchanged. Once mended:\n"
        f"{job_commands(job, [result.month for result in failed], wanted)}",
        allow_retries=False,
    )


def _went(config: DeleteStaleFilesConfig, metadata: Mapping[str, Any]) -> str:
    """Return what went of a month, or would go, as a sentence."""
    files = metadata["stale_files"]
    went = "would be deleted" if config.dry_run else "deleted"
    said = f"{len(files)} files {went}: {', '.join(files)}" if files else "there are no stale files"
    if ahead := metadata.get("loads_ahead_of_clock"):
        return f"{said}; loads ahead of this machine's clock: {', '.join(ahead)}"
    return said
