"""Landing one month: stage it, decide whether it may replace what is there, publish it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.changes import WholeMonthNeededError, with_unchanged_rows
from pipelines_project.landing.clock import wait_for_clock
from pipelines_project.landing.content import content_of_load
from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.file_types import file_types
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.previous import Previous, previous_load
from pipelines_project.landing.record import LoadRecord, recorded_file
from pipelines_project.landing.sample import Sample, sample_of_file
from pipelines_project.landing.stage import Staged, staged
from pipelines_project.landing.storage import put_file
from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames
from pipelines_project.sources.fetch import Extract, Fetch, NotModifiedError


@dataclass(frozen=True)
class NewLoad:
    """A load that is staged and not yet published.

    Attributes:
        month: which month.
        staged: its files.
        before: the load that it would replace.
        facts: what its rows are made from.
        allow_shrink: whether it may take away most of the month.
    """

    month: LandedMonth
    staged: Staged
    before: Previous
    facts: Mapping[str, str]
    allow_shrink: bool = False

    def rows_of(self, table: str) -> int:
        """Return how many rows of a dlt table it has."""
        return sum(file.rows for file in self.staged.files if file.table == table)


Details = Mapping[str, Any]
"""What a source says of a load, to be shown."""

Verify = Callable[[NewLoad], Details]
"""Given the new load before it is published: raises, or returns what is to be shown of it."""


@dataclass(frozen=True)
class Landed:
    """What came of landing a month.

    Attributes:
        load_id: the load: the new one, or the current one where nothing was modified.
        rows: of the month's table.
        files: how many.
        bytes: of all of them.
        schema: the dlt type of each column.
        required: the columns that are never null.
        content: the same for loads of the same rows and refused rows; None if it is not known.
        uri: the folder of the month's files.
        not_modified: whether the current load stays.
        superseded_by: the newer load that made this one needless.
        replaced_damaged: what was wrong with the load that this one has replaced.
        sample: a few of its rows, where no person is in them.
        details: what the source says of it, also where it said so when the current load was landed.
        seconds: how long it took.
    """

    load_id: str
    rows: int
    files: int
    bytes: int
    schema: Mapping[str, str]
    required: list[str]
    content: str | None = None
    uri: str = ""
    not_modified: bool = False
    superseded_by: str | None = None
    replaced_damaged: str = ""
    sample: Sample | None = None
    details: Details = field(default_factory=dict[str, Any])
    seconds: float = 0.0


def land_month(
    month: LandedMonth,
    extract: Extract,
    verify: Verify,
    *,
    land_unchanged: bool = True,
    allow_shrink: bool = False,
    column_names: ColumnNames = NONE_CHOSEN,
    shows_rows: bool = False,
) -> Landed:
    """Land the month as a new load, unless its source says that the current one still holds.

    The order is stage, verify, publish: the record, which makes the load current, is written after
    the decision that it may be, and after its files are durable.

    Args:
        month: which month.
        extract: gives the resource of its rows.
        verify: decides whether the new load may replace the current one.
        land_unchanged: whether to land it even if the source would say that nothing has changed.
        allow_shrink: for `verify`.
        column_names: the names of columns that the settings choose, for sources of rows.
        shows_rows: whether no person is in its rows, so that the record may hold some.

    Raises:
        LandingError: this machine's clock is behind the current load's.
        dlt.pipeline.exceptions.PipelineStepFailed: the rows could not be fetched; its causes say
            why.
    """
    started = time.monotonic()
    before = previous_load(month)
    wait_for_clock(month, before.load_id)
    is_comparable = before.record is not None and not land_unchanged
    fetch = Fetch(0 if allow_shrink else before.rows, before.facts if is_comparable else {})
    publish = partial(
        _fetch_and_publish, month, extract, verify, before, allow_shrink, column_names, shows_rows
    )
    try:
        record, told = publish(fetch)
    except WholeMonthNeededError:
        record, told = publish(Fetch(fetch.rows_before))
    except Exception as error:
        if before.record is None or not isinstance(root_cause(error), NotModifiedError):
            raise
        return replace(as_landed(month, before.record), not_modified=True)
    landed = as_landed(month, record)
    return replace(
        landed,
        superseded_by=_withdraw_if_superseded(month, record),
        replaced_damaged=before.damage,
        details={**record.details, **told},
        seconds=round(time.monotonic() - started, 3),
    )


def _fetch_and_publish(
    month: LandedMonth,
    extract: Extract,
    verify: Verify,
    before: Previous,
    allow_shrink: bool,
    column_names: ColumnNames,
    shows_rows: bool,
    fetch: Fetch,
) -> tuple[LoadRecord, Details]:
    """Stage, verify and publish a load, and return its record and how many rows have changed."""
    told: Details = {}
    with staged(month, lambda: extract(month.month, fetch), column_names) as new:
        if fetch.changes_by:
            told = {"rows_changed": sum(file.rows for file in new.files)}
            if not told["rows_changed"]:
                raise NotModifiedError
            new = with_unchanged_rows(month, new, before, fetch.changes_by)
        if fetch.origins is not None:
            new = replace(new, origins=fetch.origins)
        # Before the decision, after which nothing may take long.
        files = month.own_and_refused((str(file.path), file.table) for file in new.files)
        content = content_of_load(*files)
        sample = _sample(month, new) if shows_rows else None
        details = verify(NewLoad(month, new, before, fetch.facts, allow_shrink))
        return _publish(month, new, fetch.facts, details, content, sample), told


def _sample(month: LandedMonth, new: Staged) -> Sample | None:
    own = (file.path for file in new.files if file.table == month.table and file.rows)
    return next((sample_of_file(path) for path in own), None)


def as_landed(month: LandedMonth, record: LoadRecord) -> Landed:
    """Return a load that is landed, as its record tells it."""
    return Landed(
        record.load_id,
        record.rows_of(month.table),
        len(record.files),
        record.bytes,
        record.schema,
        record.required,
        record.content,
        month.uri,
        sample=record.sample,
        details=record.details,
    )


def landed_since(month: LandedMonth, moment: float) -> Landed | None:
    """Return the month's current load, if it is whole and was landed since a moment.

    Args:
        month: which month.
        moment: in seconds since 1970, as load ids are.
    """
    current = previous_load(month)
    if current.record is None or float(current.record.load_id) < moment:
        return None
    return replace(as_landed(month, current.record), not_modified=True)


def _publish(
    month: LandedMonth,
    new: Staged,
    facts: Mapping[str, str],
    details: Details,
    content: str | None,
    sample: Sample | None,
) -> LoadRecord:
    paths = {f"{new.load_id}.{file.file_id}.parquet": file for file in new.files}
    files = [recorded_file(f.table, name, f.rows, f.path) for name, f in paths.items()]
    record = LoadRecord(
        new.load_id,
        new.schema,
        files,
        dict(facts),
        new.required,
        dict(details),
        content,
        new.origins,
        file_types(f.schema for f in new.files if f.table == month.table),
        sample,
    )
    try:
        for name, file in paths.items():
            put_file(month.fs, file.path, f"{month.folder_of(file.table)}/{name}")
        month.commit(record)
    except FileNotFoundError:
        # The run of a newer load has taken what is being written for stale, which it is.
        if float(month.current_load() or 0) <= float(new.load_id):
            raise
    return record


def _withdraw_if_superseded(month: LandedMonth, record: LoadRecord) -> str | None:
    """Remove what this run landed if a newer load was committed meanwhile, and return that one.

    Raises:
        DamagedLoadError: the load is current and not whole, and was removed. A newer load was
            there for a while, so that another run took this one's files for stale.
    """
    listing = month.listing()
    own = month.files_of_load(record.load_id, listing)
    if listing.newest != record.load_id:
        month.delete(own)
        return listing.newest
    try:
        month.check_files(record, listing)
    except DamagedLoadError as error:
        month.delete(own)
        raise DamagedLoadError(f"another run deleted files of {month}: {error}") from error
    return None
