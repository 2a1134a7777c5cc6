"""Publishing the months of one table to Athena, in an order that every crash leaves readable.

The record of a load makes it current; then the table in Glue gets its columns, then the month's
manifest names its files, and only then older files are deleted. What is missing after a crash the
next publishing adds, also of a month that is not modified: it compares, and keeps nothing in mind.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow.parquet

from pipelines_project.glue.clients import client
from pipelines_project.glue.column_types import readable_columns
from pipelines_project.glue.external_table import ExternalTable
from pipelines_project.glue.manifest import manifests_of, read_manifest
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.file_types import file_types
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.listing import Listing
from pipelines_project.landing.zone import LandingZone
from pipelines_project.table import Table

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

_ATTEMPTS = 100


@dataclass(frozen=True)
class Published:
    """A month as Athena reads it now.

    Attributes:
        listing: the month's folders, as they were when the current load was found.
        current: the load whose files the manifest names; None if the month has none.
        table: what a query calls the table.
        unreadable: the columns that it cannot read in this month, and why.
    """

    listing: Listing
    current: Load | None
    table: str
    unreadable: list[str]


@dataclass(frozen=True)
class Publication:
    """The table in Glue, and the manifests of its months."""

    table: Table
    zone: LandingZone

    @cached_property
    def _s3(self) -> Any:
        return client("s3")

    @cached_property
    def _external(self) -> ExternalTable:
        some_month = self.table.month(self.zone, self.table.start_month)
        location = some_month.fs.unstrip_protocol(manifests_of(some_month))
        return ExternalTable(client("glue"), self.table, f"{location}/")

    def publish(self, month: LandedMonth, without: str | None = None) -> Published:
        """Let Athena read the month's current load, and nothing else, from now on.

        The manifest is read before the current load is looked for, and replaced only if it is still
        the same then. So of runs that publish at once none can put an older load's files in the
        place of a newer one's: what it has found is what was current after the manifest was last
        written.

        Args:
            month: the month.
            without: a load that is about to be deleted, and not to be read any more.

        Raises:
            LandingError: AWS does not do it, or the current load is damaged; Athena reads what it
                has read before.
        """
        with _told(month):
            for _ in range(_ATTEMPTS):
                before = read_manifest(self._s3, month)
                listing, current = month.whole(without=without)
                unreadable = self._take_columns(month, current) if current else []
                urls = _urls(month, current)
                if before.urls == urls or before.replace(urls):
                    return Published(listing, current, str(self._external), unreadable)
        raise LandingError(f"{month} was published by others at each of many attempts")

    def wrong(self, month: LandedMonth) -> str:
        """Tell what Athena reads of the month that is not its current load; "" if all is right."""
        with _told(month):
            manifest, current = read_manifest(self._s3, month), month.current_files()
            said = list[str]()
            if manifest.urls != _urls(month, current):
                load = f"load {current.load_id}" if current else "no load"
                said.append(f"Athena reads {_named(manifest.urls)}, and the current is {load}")
            if current:
                columns, _ = readable_columns(_types(month, current))
                said += self._external.unreadable(columns)
        return "; ".join(said)

    def _take_columns(self, month: LandedMonth, load: Load) -> list[str]:
        columns, left_out = readable_columns(_types(month, load))
        return [*left_out, *self._external.take(month.month, columns, load.record.schema)]


def publication_of(table: Table, zone: LandingZone) -> Publication | None:
    """Return how a table is published, None where its settings say nothing of it."""
    return Publication(table, zone) if table.glue_database else None


@contextmanager
def _told(month: LandedMonth) -> Generator[None]:
    """Say of an error of AWS what it was for."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise LandingError(
            f"{month} is not published to Athena, which may read an older load of it; no file "
            f"was deleted: {error}"
        ) from error


def _urls(month: LandedMonth, load: Load | None) -> list[str]:
    """Return the URLs of a load's own files, in order; those of its quarantine are not read."""
    return sorted(map(month.fs.unstrip_protocol, _own_files(month, load))) if load else []


def _types(month: LandedMonth, load: Load) -> dict[str, str]:
    """Return the Arrow types of a load's columns, from its files if its record has none."""
    if load.record.types:
        return dict(load.record.types)
    with month.fs.open(_own_files(month, load)[0], "rb") as file:
        return file_types([pq.read_schema(file)])


def _own_files(month: LandedMonth, load: Load) -> list[str]:
    return [path for path, f in month.paths(load.record).items() if f.table == month.table]


def _named(urls: list[str]) -> str:
    return ", ".join(url.rsplit("/", 1)[-1] for url in urls) or "no file"
