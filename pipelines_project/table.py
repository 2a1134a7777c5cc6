"""One table of a source: all that landing, loading and checking it need to know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pipelines_project.landing.land_month import Verify
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingZone
from pipelines_project.names import checked_source, checked_table
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.warehouse.load_month import Loader


@dataclass(frozen=True)
class Table:
    """One table of a source, with what its source's settings say of it.

    Attributes:
        source: the source, which is also the asset group and the warehouse schema.
        name: the table.
        description: what one row is and where it comes from.
        key: the columns that tell one row of a month from another; none if nothing in it does.
        extractor: called once per run, so that its closure can keep a session and cached lists;
            the landing zone tells it what there is already.
        loader: how a load's rows enter the warehouse table.
        verify: refuses a new load by raising, before it is published, or returns what to show.
        start_month: the first month, `YYYY-MM`.
        months_per_run: how many months a run of a backfill takes; None for all.
        keep_loads: how many superseded loads `delete_stale_files` leaves.
        allow_shrink: whether a re-run may take away most of a month.
        fresh_within: how old the current month may be.
        subject: the column that tells whom a row is about, if rows are forgotten by it.
    """

    source: str
    name: str
    description: str
    key: tuple[str, ...]
    extractor: Callable[[ApiCalls, LandingZone], Extract]
    loader: Loader
    verify: Verify
    start_month: str
    months_per_run: int | None
    keep_loads: int
    allow_shrink: bool
    fresh_within: timedelta
    subject: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that something else has, or that a path or SQL would take amiss."""
        checked_source(self.source)
        checked_table(self.name)

    def month(self, zone: LandingZone, month: str) -> LandedMonth:
        """Return one of its months in a landing zone."""
        return zone.month(self.source, self.name, month)
