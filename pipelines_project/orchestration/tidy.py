"""Tidying one month: its stale files go, once what is published names files that stay."""

import time
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines_project.glue.publication import Publication
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.listing import LOAD_ID, Listing
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.month_results import MonthResult
from pipelines_project.table import Table

_AHEAD_OF_CLOCK_SECONDS = 60.0


def keep_loads_field() -> Any:
    """Return the field that says how many superseded loads stay."""
    return Field(
        default=None,
        ge=0,
        description="How many superseded loads to keep; default: the source's own.",
    )


class DeleteStaleFilesConfig(dg.Config):
    """What one run may do differently when it deletes."""

    dry_run: bool = Field(default=False, description="List what would go, and delete nothing.")
    keep_loads: int | None = keep_loads_field()
    discard_load_id: str | None = Field(
        default=None,
        description="Delete this load and nothing else, because the clock of the machine that "
        "landed it was ahead. Only an id that is later than now is taken.",
    )


def tidy(
    table: Table,
    landing: LandingZone,
    config: DeleteStaleFilesConfig,
    month: MonthResult,
    publication: Publication | None,
) -> dict[str, Any]:
    """Delete one month's stale files, and return its metadata with what went.

    Before anything goes, what is published is made to name files that stay.

    Raises:
        LandingError: names the files that could not be deleted, or says why nothing was.
    """
    place = table.month(landing, month.month)
    if config.discard_load_id:
        _check_ahead_of_clock(config.discard_load_id)
    publishing = None if config.dry_run else publication
    look, current, told = _published(place, publishing, config.discard_load_id)
    keep_loads = table.keep_loads if config.keep_loads is None else config.keep_loads
    if config.discard_load_id:
        # What is published is looked at as if the load were gone.
        stale = place.files_of_load(config.discard_load_id, None if publishing else look)
    else:
        stale = place.stale_files(keep_loads, look, current)
    if not config.dry_run:
        place.delete(stale)
    if publishing and config.discard_load_id:
        # A run that began before may have published the load that is gone now.
        publishing.publish(place)
    limit, gone = time.time() + _AHEAD_OF_CLOCK_SECONDS, () if config.dry_run else stale
    ahead = [i for i in look.committed if float(i) > limit and place.record_path(i) not in gone]
    return {
        **month.metadata,
        **told,
        "stale_files_deleted": 0 if config.dry_run else len(stale),
        "stale_files": stale,
        **({"loads_ahead_of_clock": ahead} if ahead else {}),
    }


def _published(
    place: LandedMonth, publication: Publication | None, without: str | None
) -> tuple[Listing, Load | None, dict[str, Any]]:
    """Publish a month, and return its listing, its current load, and what is told of it."""
    if publication is None:
        return place.listing(), None, {}
    published = publication.publish(place, without)
    unreadable = published.unreadable
    told = {"glue_table": published.table, **({"not_in_athena": unreadable} if unreadable else {})}
    return published.listing, published.current, told


def _check_ahead_of_clock(load_id: str) -> None:
    if not LOAD_ID.fullmatch(load_id):
        raise LandingError(f"discard_load_id is {load_id[:80]!r}, which is no load id")
    if not float(load_id) > time.time():
        raise LandingError(
            f"load {load_id} is not later than now, so it is no mistake of a clock: nothing was "
            "deleted. A superseded load goes without discard_load_id"
        )
