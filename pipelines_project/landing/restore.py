"""Restoring a kept load: its rows become the month's current load again, as a new load."""

from datetime import UTC, datetime

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth, Listing, Load
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.record import read_record
from pipelines_project.landing.rows import has_rows, landed_rows


def restore(month: LandedMonth, load_id: str | None) -> Landed:
    """Land the rows of a kept load as the month's new load.

    Raises:
        DamagedLoadError: it is not what was committed; the error names the load and its files.
        LandingError: there is no such kept load, or a run that began later has landed the month
            meanwhile.
    """
    kept = _kept_load(month, load_id)
    tables = {month.table, *(file.table for file in kept.record.files)}
    verify_rows = has_rows({table: kept.record.rows_of(table) for table in tables})

    def verify(new: NewLoad) -> Details:
        # The load may have been deleted, for good, since it was compared.
        if kept.load_id not in month.listing().committed:
            raise LandingError(f"{month}: load {kept.load_id} was deleted while it was read")
        return {**kept.record.details, **verify_rows(new)}

    landed = land_month(
        month,
        lambda _, fetch: landed_rows(month, kept.record, fetch),
        verify,
        shows_rows=kept.record.sample is not None,
    )
    if landed.superseded_by:
        raise LandingError(
            f"{month}: load {landed.superseded_by} was landed while {kept.load_id} was "
            "restored, and is the current one"
        )
    return landed


def _kept_load(month: LandedMonth, load_id: str | None) -> Load:
    """Return a kept load, having compared all its files with its record."""
    listing = month.listing()
    kept = listing.committed[1:]
    if load_id is None or load_id not in kept:
        is_current = load_id is not None and load_id == listing.newest
        reason = "is the current one already" if is_current else "is not kept"
        what = "set load_id" if load_id is None else f"load {load_id[:80]!r} {reason}"
        raise LandingError("\n".join([f"{month}: {what}. Kept are:", *_described(month, listing)]))
    try:
        load = month.load(listing, load_id)
        month.check_content(load.record)
    except (LandingError, FileNotFoundError) as error:
        raise DamagedLoadError(
            f"{month}: load {load_id} is not what was committed, and cannot be restored: {error}"
        ) from error
    return load


def _described(month: LandedMonth, listing: Listing) -> list[str]:
    """Return a line for each kept load: its id, when it was landed, and its rows."""
    lines: list[str] = []
    for load_id in listing.committed[1:]:
        landed = datetime.fromtimestamp(float(load_id), UTC).isoformat(timespec="seconds")
        lines.append(f"- {load_id}, landed at {landed}, {_rows(month, load_id)}")
    return lines or ["- none"]


def _rows(month: LandedMonth, load_id: str) -> str:
    try:
        record = read_record(month.fs, month.record_path(load_id))
    except (LandingError, FileNotFoundError):
        return "without a record that can be read: it cannot be restored"
    return f"{record.rows_of(month.table)} rows"
