"""One table of a source: all that landing, loading and checking it need to know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from dlt.extract import DltResource

from pipelines_project.landing_zone import LandingZone
from pipelines_project.month_folder import MonthFolder
from pipelines_project.month_load import Loader
from pipelines_project.sources.api_calls import ApiCalls

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
