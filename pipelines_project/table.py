"""One table of a source: all that landing, loading and checking it need to know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from dlt.destinations.impl.filesystem.filesystem import INIT_FILE_NAME
from dlt.extract import DltResource

from pipelines_project.landing.month_folder import MonthFolder, checked_name
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.rows import quarantine_table
from pipelines_project.warehouse.ledger import LEDGER_SCHEMA
from pipelines_project.warehouse.load_month import Loader

_MARTS, _QUARANTINE = "_marts", quarantine_table("")

Extract = Callable[[str], DltResource]
"""Given a month, `YYYY-MM`, the dlt resource of its rows."""


@dataclass(frozen=True)
class NewLoad:
    """A load that is fetched and not yet committed: its place and all its local parquet files."""

    zone: LandingZone
    place: MonthFolder
    files: list[str]
    allow_shrink: bool


def accept(_: NewLoad) -> dict[str, Any]:
    """Accept a new load as it is, for sources whose months may shrink."""
    return {}


def checked_source(name: str) -> str:
    """Return the name of a source if no schema of the warehouse has it for another purpose.

    Raises:
        ValueError: it is the ledger's or that of a source's marts, or no name at all.
    """
    if name == LEDGER_SCHEMA or name.endswith(_MARTS):
        raise ValueError(f"{name!r} is a schema of the warehouse already: choose another name")
    return checked_name(name)


def checked_table(name: str) -> str:
    """Return the name of a table if nothing in its source's landing folder has it already.

    Raises:
        ValueError: it is the name of a quarantine table or of dlt's own file, or no name at all.
    """
    if name == INIT_FILE_NAME or name.endswith(_QUARANTINE):
        raise ValueError(f"{name[:80]!r} is a name that landing itself uses: choose another")
    return checked_name(name)


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
        verify: refuses a new load by raising, before it is committed, or returns metadata.
        partitions: the months of the source.
        backfill_policy: how many months a run takes.
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
    verify: Callable[[NewLoad], dict[str, Any]]
    partitions: dg.MonthlyPartitionsDefinition
    backfill_policy: dg.BackfillPolicy
    keep_loads: int
    allow_shrink: bool
    fresh_within: timedelta
    subject: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that something else has, or that a path or SQL would take amiss."""
        checked_source(self.source)
        checked_table(self.name)

    @property
    def landing_key(self) -> dg.AssetKey:
        """The key of the asset that lands the table."""
        return dg.AssetKey(["landing", self.source, self.name])

    @property
    def warehouse_key(self) -> dg.AssetKey:
        """The key of the asset that loads the table."""
        return dg.AssetKey(["warehouse", self.source, self.name])

    def place(self, zone: LandingZone, month: str) -> MonthFolder:
        """Return where the month is landed."""
        return zone.month_folder(self.source, self.name, month)
