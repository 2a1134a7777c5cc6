"""The landing zone: which load of a month is current, which files are stale, and how one lands.

A load is the files of a month's folder whose names begin with one dlt load id. dlt writes a load's
marker after its files, so the marker commits the load. The current load of a month is the newest
load id that has a marker. Anything else in the folder is stale (older) or still being written
(newer, without a marker), and does not exist for readers.
"""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import dagster as dg
import dlt
import duckdb
import fsspec
from fsspec.implementations.local import LocalFileSystem
from pydantic import Field

from pipelines_project.landing.destination import month_destination
from pipelines_project.landing.month_folder import (
    MonthFolder,
    checked_name,
    landed_months,
    months_with_files,
)
from pipelines_project.landing.record import is_whole
from pipelines_project.temporary import working_folder

_READ_ATTEMPTS = 100


class LandingError(Exception):
    """The landing zone cannot be read or written as asked; says where, why and what to do."""


class LostFilesError(LandingError):
    """A month's current load is committed, and its files are gone."""


class Load(NamedTuple):
    """A committed load of one month: its dlt load id and its files, as DuckDB reads them."""

    load_id: str
    files: list[str]


class LandingZone(dg.ConfigurableResource):
    """Parquet by month on any filesystem that fsspec knows."""

    url: str = Field(default="data/landing", description="Root of the landing zone: path or URL.")

    @cached_property
    def _root(self) -> tuple[fsspec.AbstractFileSystem, str]:
        try:
            fs, path = fsspec.url_to_fs(self.url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise LandingError(f"LANDING_URL is {self.url[:80]!r}: {error}") from error
        return fs, path.rstrip("/")

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        """The filesystem that holds the landing zone; a URL that is none is a `LandingError`."""
        return self._root[0]

    def month_folder(self, source: str, table: str, month: str) -> MonthFolder:
        """Return the place of one month; a name that is not one raises `ValueError`."""
        return MonthFolder(self.fs, f"{self._root[1]}/{source}", source, table, month)

    @contextmanager
    def pipeline(self, source: str, table: str, month: str) -> Iterator[dlt.Pipeline]:
        """Give a dlt pipeline that lands one month, and delete its working folder afterwards.

        The name and the working folder are its own, so any number of months, and any number of
        runs of one month, can land at once (dagster issue 21022, dlt issue 1102). It restores no
        dlt state: the partition is the cursor.
        """
        # Rows have it anyhow; Arrow tables only if asked for.
        dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
        destination = month_destination(self.url, month)
        with working_folder() as folder:
            pipeline = dlt.pipeline(
                self.month_folder(source, table, month).schema_name,
                pipelines_dir=folder,
                dataset_name=source,
                destination=destination,
            )
            pipeline.config.restore_from_destination = False
            try:
                yield pipeline
            finally:
                if pipeline.is_active:
                    pipeline.deactivate()

    def months(self, source: str, table: str) -> list[str]:
        """Return the months that have a committed load, in order."""
        return landed_months(self.fs, f"{self._root[1]}/{checked_name(source)}", table)

    def months_with_files(self, source: str, table: str) -> list[str]:
        """Return the months that have files, committed or not, in order."""
        return months_with_files(self.fs, f"{self._root[1]}/{checked_name(source)}", table)

    def current_load(self, source: str, table: str, month: str) -> str | None:
        """Return the newest committed load id of the month, or None if it was never landed."""
        return next(iter(self.month_folder(source, table, month).committed_loads()), None)

    def current_files(self, source: str, table: str, month: str) -> Load | None:
        """Return the current load with its files, all of one load, or None if never landed.

        The marker is read again after the files are listed: a run that commits in between may
        already be deleting what was listed, and then the reader starts over.

        Raises:
            LostFilesError: the current load is committed but its files are gone.
        """
        place = self.month_folder(source, table, month)
        for _ in range(_READ_ATTEMPTS):
            load_id = self.current_load(source, table, month)
            if load_id is None:
                return None
            files = place.files_by_load().get(load_id, [])
            if load_id == self.current_load(source, table, month):
                if files:
                    return Load(load_id, [self._readable(path) for path in files])
                raise LostFilesError(
                    f"the current load {load_id} of {place} is committed but its files are gone "
                    f"from {place.path}: land {month} again"
                )
        raise LandingError(f"{place} was landed anew at each of many reads")

    def files_to_replace(self, source: str, table: str, month: str) -> list[str]:
        """Return the files of the current load, none if it was never landed or they are lost.

        What is lost need not be kept: landing the month again is what brings it back.
        """
        try:
            current = self.current_files(source, table, month)
        except LostFilesError:
            return []
        return current.files if current else []

    def quarantine_files(self, place: MonthFolder, load_id: str) -> list[str]:
        """Return the files of the rows that a load refused, as DuckDB reads them."""
        files = place.quarantine_files_by_load().get(load_id, [])
        return [self._readable(path) for path in files]

    def stale_files(self, source: str, table: str, month: str, keep_loads: int = 0) -> list[str]:
        """Return the paths that may be deleted, in an order in which stopping halfway is safe.

        Stale are the data files and records, then the markers and schema files, of loads older
        than the current one. A newer load may still be being written and is never stale.

        Args:
            source: the source.
            table: the table.
            month: the month, `YYYY-MM`.
            keep_loads: how many superseded loads to keep, the newest of those that are whole.
        """
        place = self.month_folder(source, table, month)
        committed, files = place.committed_loads(), place.all_files_by_load()
        if not committed:
            return []
        superseded = (i for i in committed[1:] if is_whole(place, i, files.get(i, [])))
        kept = [committed[0], *islice(superseded, keep_loads)]
        stale = sorted(
            (i for i in {*files, *committed} - {*kept} if float(i) < float(committed[0])), key=float
        )
        data = [path for load_id in stale for path in files.get(load_id, [])]
        markers = [place.marker(load_id) for load_id in stale if load_id in committed]
        return data + markers + place.stale_schema_files(kept)

    def delete(self, paths: list[str]) -> None:
        """Delete the files; one that is gone already is fine, and every one is tried.

        Raises:
            LandingError: names the files that could not be deleted, with the reason for each.
        """
        failures: list[str] = []
        for path in paths:
            try:
                self.fs.rm_file(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                failures.append(f"{path}: {error}")
        if failures:
            raise LandingError("could not delete " + "; ".join(failures))

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a DuckDB connection read the landing zone's files, wherever they are."""
        if not isinstance(self.fs, LocalFileSystem):
            connection.register_filesystem(self.fs)

    def _readable(self, path: str) -> str:
        url = path if isinstance(self.fs, LocalFileSystem) else self.fs.unstrip_protocol(path)
        # DuckDB takes a path for a pattern.
        return glob.escape(url)
