"""Removing a person's rows from one landed month.

A load is never changed: a current load that holds the person is landed anew without the rows, and
every older load that holds them goes whole, kept or not. With it goes what a killed run has left.
"""

from collections import Counter
from typing import Any

import pyarrow.compute

from pipelines_project.forget.rows import UNREADABLE, Found, find
from pipelines_project.forget.subject import Subject
from pipelines_project.glue.publication import Publication
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.rows import Keep, has_rows, landed_rows, row_groups

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute


def forget(
    month: LandedMonth, subject: Subject, publication: Publication | None = None
) -> tuple[Landed, int] | None:
    """Remove the person's rows from the month.

    Args:
        month: which month.
        subject: the person.
        publication: what is made to read the new load before older ones are deleted.

    Returns:
        The new load and how many rows it has less, if the month was landed anew, or else None.

    Raises:
        LandingError: the current load cannot be read, or is another one by now; the month is as
            it was.
    """
    landed = _forget_current(month, subject)
    listing = publication.publish(month).listing if publication else month.listing()
    current = listing.newest
    left = {*listing.files} - {*listing.committed} if landed else set[str]()
    for load_id in {*find(month, subject)} | left:
        if current and float(load_id) < float(current):
            month.delete(month.files_of_load(load_id))
    return landed


def _forget_current(month: LandedMonth, subject: Subject) -> tuple[Landed, int] | None:
    """Land the month anew if its current load holds the person, or a newer load without a record.

    Such a load, of a run that was killed, is older than the current one then and can be deleted.
    """
    current, found = month.current_load(), find(month, subject)
    if current is None or not any(float(load_id) >= float(current) for load_id in found):
        return None
    load = month.current_files()
    if load is None or load.load_id != current or UNREADABLE in found.get(current, {}).values():
        raise LandingError(f"{month}: the current load cannot be read: {found.get(current)}")
    return _land_others(month, subject, load), _rows(found, current)


def _rows(found: Found, load_id: str) -> int:
    return sum(rows for path, rows in found.get(load_id, {}).items() if path.endswith(".parquet"))


def _land_others(month: LandedMonth, subject: Subject, current: Load) -> Landed:
    """Land the rows of the current load that are not the person's as a new load."""
    others, expected = _others(month, subject), Counter({month.table: 0})
    for path, file in month.paths(current.record).items():
        groups = row_groups(month.fs, path)
        expected[file.table] += sum(len(others(file.table, group)) for group in groups)
    verify_rows = has_rows(expected)

    def verify(new: NewLoad) -> Details:
        # What a run has landed meanwhile is newer than these rows.
        if month.current_load() != current.load_id:
            raise LandingError(f"{month} was landed meanwhile: run this again")
        return verify_rows(new)

    return land_month(
        month, lambda _, fetch: landed_rows(month, current.record, fetch, others), verify
    )


def _others(month: LandedMonth, subject: Subject) -> Keep:
    """Return what keeps the rows that are not the person's."""
    is_theirs = subject.among(month.table)
    return lambda table, rows: rows.filter(pc.invert(is_theirs(table, rows)))
