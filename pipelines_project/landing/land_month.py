"""Landing one month: stage it, decide whether it may replace what is there, publish it."""

import time
from dataclasses import replace
from functools import partial

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.changes import WholeMonthNeededError, with_unchanged_rows
from pipelines_project.landing.clock import wait_for_clock
from pipelines_project.landing.content import content_of_load
from pipelines_project.landing.landed import Landed, as_landed
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Details, NewLoad, Verify
from pipelines_project.landing.previous import Previous, previous_load
from pipelines_project.landing.publish import publish, withdraw_if_superseded
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.sample import Sample, sample_of_file
from pipelines_project.landing.stage import Staged, staged
from pipelines_project.sources.column_names import NONE_CHOSEN, ColumnNames
from pipelines_project.sources.fetch import Extract, Fetch, NotModifiedError


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
    land = partial(
        _fetch_and_publish, month, extract, verify, before, allow_shrink, column_names, shows_rows
    )
    try:
        record, told = land(fetch)
    except WholeMonthNeededError:
        record, told = land(Fetch(fetch.rows_before))
    except Exception as error:
        if before.record is None or not isinstance(root_cause(error), NotModifiedError):
            raise
        return replace(as_landed(month, before.record), not_modified=True)
    landed = as_landed(month, record)
    return replace(
        landed,
        superseded_by=withdraw_if_superseded(month, record),
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
        load = NewLoad(month, new, before, fetch.facts, allow_shrink, content, sample)
        return publish(load, verify(load)), told


def _sample(month: LandedMonth, new: Staged) -> Sample | None:
    own = (file.path for file in new.files if file.table == month.table and file.rows)
    return next((sample_of_file(path) for path in own), None)
