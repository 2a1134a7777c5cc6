"""How months that failed were left, and the commands that go on from there."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

import yaml

from pipelines_project.landing.clock import DISCARD
from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.months import in_words
from pipelines_project.orchestration.commands import (
    asset_config,
    job_commands,
    materialize_commands,
)
from pipelines_project.orchestration.month_results import MonthResult
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.sources.fetch import ALLOW_SHRINK
from pipelines_project.table import Table
from pipelines_project.warehouse.database import UnfitMonthError

REPLACE_NEWER_LOAD = "replace_newer_load"
_MENDED_BY_LANDING = (UnfitMonthError.__name__, DamagedLoadError.__name__)


def what_now_of_landing(
    table: Table, landed: Sequence[MonthResult], tidied: Sequence[MonthResult]
) -> str:
    """Return what to say of a landing with failed months, for the error's end.

    Args:
        table: the table.
        landed: what came of landing each month.
        tidied: what came of landing and tidying it.
    """
    return "\n".join(_told(table, landed, tidied))


def _told(
    table: Table, landed: Sequence[MonthResult], tidied: Sequence[MonthResult]
) -> Iterator[str]:
    one_run = not table.months_per_run
    failed = [result for result in landed if result.error]
    months = [result.month for result in failed]
    if months:
        again = materialize_commands(landing_key(table), months, one_run=one_run)
        yield f"What was landed of {in_words(months)} before is unchanged. Once mended:\n{again}"
    if shrunk := [r.month for r in failed if ALLOW_SHRINK in (r.error or "")]:
        yield _allow_shrink(table, shrunk, one_run=one_run)
    for month, load_id in _ahead_of_clock(failed):
        discard = {"discard_load_id": load_id}
        job = job_commands(f"{table.source}_delete_stale_files", [month], discard)
        yield f"To delete load {load_id} of {month}:\n{job}"
    if untidied := [r.month for r in tidied if r.error and r.month not in months]:
        job = job_commands(f"{table.source}_delete_stale_files", untidied)
        read = "Athena may still read" if table.glue_database else "nobody reads"
        yield f"{in_words(untidied)}: landed whole, beside older files that {read}. Once mended:"
        yield job
    if good := [result.month for result in tidied if not result.error]:
        load = materialize_commands(warehouse_key(table), good, one_run=one_run)
        yield f"The other {len(good)} are landed. Automation loads them, or at once:\n{load}"


def _ahead_of_clock(failed: Sequence[MonthResult]) -> Iterator[tuple[str, str]]:
    """Yield each month that failed because a clock was ahead, with the load that is in the way."""
    for result in failed:
        if told := re.search(rf"{DISCARD} '([0-9.]+)'", result.error or ""):
            yield result.month, told[1]


def _allow_shrink(table: Table, months: Sequence[str], *, one_run: bool) -> str:
    key, config = landing_key(table), {"allow_shrink": True}
    commands = materialize_commands(key, months, one_run=one_run, config=config)
    launchpad = yaml.safe_dump(asset_config(key, config)).rstrip()
    return (
        f"If {in_words(months)} may lose most of its rows:\n{commands}\n"
        f"or with this in the launchpad (hold Shift and click Materialize):\n{launchpad}"
    )


def what_now_of_loading(table: Table, results: Sequence[MonthResult]) -> str:
    """Return how months that failed were left, and the commands that load them.

    Those land a month before, if that helps.
    """
    failed = [result for result in results if result.error]
    unfit = [r.month for r in failed if r.error_type in _MENDED_BY_LANDING]
    others = [r.month for r in failed if r.month not in unfit]
    commands = partial(materialize_commands, one_run=not table.months_per_run)
    said = ["What the warehouse has of a failed month is unchanged."]
    if unfit:
        said.append(
            f"{', '.join(unfit)} cannot be loaded as landed now. Make a kept load current with "
            f"{table.source}_restore_month, or land again when the source is mended:\n"
            f"{commands(landing_key(table), unfit)}"
        )
    if older := [r.month for r in failed if REPLACE_NEWER_LOAD in (r.error or "")]:
        config = {REPLACE_NEWER_LOAD: True}
        said.append(
            f"To load the older load of {', '.join(older)} all the same:\n"
            f"{commands(warehouse_key(table), older, config=config)}"
        )
    if others:
        said.append(f"When the cause is mended:\n{commands(warehouse_key(table), others)}")
    return "\n".join(said)
