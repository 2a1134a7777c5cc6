"""One table of a source: all that landing, loading, checking and scheduling need to know of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Verify
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of, months_before, months_in_flux
from pipelines_project.names import checked_source, checked_table
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.warehouse.load_month import Loader


@dataclass(frozen=True)
class Timing:
    """When schedules and sensors land a table, and how urgent its runs are.

    Attributes:
        cron: when the schedule ticks, in UTC; None for no schedule.
        has_own_cron: whether that is the table's own, and not its source's.
        lookback_months: how many months before the current one a tick lands again.
        paused: whether schedules and sensors leave the table alone.
        priority: of its runs in Dagster's queue; the higher one starts first.
        window: the time of day, in UTC, in which schedules and sensors may start runs; it may pass
            midnight.
        failures_before_pause: after how many failed runs in a row schedules and sensors leave the
            table alone, until it is materialized again; None for never.
    """

    cron: str | None = None
    has_own_cron: bool = False
    lookback_months: int = 0
    paused: bool = False
    priority: int = 0
    window: tuple[time, time] | None = None
    failures_before_pause: int | None = None

    def months_due(self, moment: datetime) -> list[str]:
        """Return the months that a tick of the schedule lands, in order."""
        before = months_before(month_of(moment), self.lookback_months)
        return sorted({*months_in_flux(moment), *before})

    def is_within_window(self, moment: datetime) -> bool:
        """Tell whether schedules and sensors may start a run at this moment."""
        if self.window is None:
            return True
        begins, ends = self.window
        now = moment.astimezone(UTC).time()
        return begins <= now < ends if begins < ends else now >= begins or now < ends


@dataclass(frozen=True)
class Table:
    """One table of a source, with what its source's settings say of it.

    Attributes:
        source: the source, which is also the asset group and the warehouse schema.
        name: the table.
        description: what one row is and where it comes from.
        key: the columns that tell one row of a month from another; none if nothing in it does.
        extractor: called once per run, so that its closure can keep a session and cached lists;
            the landing zone tells it what there is already. Called once for each of
            `months_at_once`, which share nothing.
        loader: how a load's rows enter the warehouse table.
        verify: refuses a new load by raising, before it is published, or returns what to show.
        start_month: the first month, `YYYY-MM`.
        months_per_run: how many months a run of a backfill takes; None for all.
        keep_loads: how many superseded loads `delete_stale_files` leaves.
        allow_shrink: whether a re-run may take away most of a month.
        fresh_within: how old the current month may be.
        months_at_once: how many months a run lands at the same time.
        subject: the column that tells whom a row is about, if rows are forgotten by it.
        is_snapshot: whether its rows have no months: it is landed whole, in the month it is taken.
        timing: when schedules and sensors land it.
        owners: who answers for it, as Dagster takes owners.
        tags: of its assets.
        columns: the dlt type of each column that is declared, whatever rows a month has.
        column_descriptions: what columns are, by name.
        column_names: the names of columns that the settings choose, by those in the source.
        glue_database: the database of AWS Glue that has a table over the landed months, for Athena;
            None if it is not published.
        shows_rows: whether no person is in its rows, so that Dagster may show some.
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
    months_at_once: int = 1
    subject: str | None = None
    is_snapshot: bool = False
    timing: Timing = field(default_factory=Timing)
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    column_descriptions: Mapping[str, str] = field(default_factory=dict[str, str])
    column_names: Mapping[str, str] = field(default_factory=dict[str, str])
    glue_database: str | None = None
    shows_rows: bool = False

    def __post_init__(self) -> None:
        """Refuse names that something else has, or that a path or SQL would take amiss."""
        checked_source(self.source)
        checked_table(self.name)

    def month(self, zone: LandingZone, month: str) -> LandedMonth:
        """Return one of its months in a landing zone."""
        return zone.month(self.source, self.name, month)

    def reason_to_skip(self, month: str) -> str:
        """Return why nothing can be landed for the month now, or "" if something can.

        Months of tables of one source are the same partitions, so that they can be materialized
        together; a table need not have every one.
        """
        if month < self.start_month:
            return f"{self.name} begins in {self.start_month}"
        if self.is_snapshot and month != month_of(datetime.now(UTC)):
            return f"{self.name} is a snapshot, which lands in the month in which it is taken"
        return ""
