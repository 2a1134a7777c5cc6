"""One month of one table in the landing zone: its loads, which is current, which files are stale.

A load is the files that its record names. The record is written after them, so it commits the load.
The current load of a month is the newest load id that has a record. Files that no record names do
not exist for readers.
"""

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from dlt.common.schema.exceptions import InvalidSchemaName
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.record import (
    LoadRecord,
    RecordedFile,
    read_record,
    sha256_of,
    write_record,
)
from pipelines_project.landing.storage import FileSystem
from pipelines_project.months import checked_month
from pipelines_project.names import checked_name, quarantine_table

LOAD_ID = re.compile(r"[0-9]{1,12}\.[0-9]{1,12}")
_DATA_FILE = re.compile(rf"({LOAD_ID.pattern})\.[^/]+\.parquet")
_RECORD = re.compile(rf"_({LOAD_ID.pattern})\.json(?P<new>\.new)?")
_READ_ATTEMPTS = 100
_LOOKS = 5


@dataclass(frozen=True)
class Load:
    """A committed load: its id, its record, and the files of the table as DuckDB reads them."""

    load_id: str
    record: LoadRecord
    files: list[str]


Sizes = dict[str, int | None]
"""By path, the size of a file; None for what is no file."""


@dataclass
class Listing:
    """What one look at a month's folders shows.

    Attributes:
        committed: the ids of the loads that have a record, newest first.
        files: by load id, the files that are there.
    """

    committed: list[str] = field(default_factory=list[str])
    files: dict[str, Sizes] = field(default_factory=dict[str, Sizes])

    @property
    def newest(self) -> str | None:
        """The id of the current load."""
        return next(iter(self.committed), None)


@dataclass(frozen=True)
class LandedMonth:
    """The place of one month: `dataset` is the path of its source's folder."""

    fs: FileSystem
    dataset: str
    source: str
    table: str
    month: str

    def __post_init__(self) -> None:
        """Refuse names that would lead out of the folder or into another month's."""
        checked_name(self.source)
        checked_name(self.table)
        checked_month(self.month)
        if (excess := len(self.pipeline_name) - InvalidSchemaName.MAXIMUM_SCHEMA_NAME_LENGTH) > 0:
            raise ValueError(
                f"the names of {self.source}/{self.table} are together {excess} characters too long"
            )

    def __str__(self) -> str:
        """Name the month as errors do."""
        return f"{self.source}/{self.table} {self.month}"

    @property
    def pipeline_name(self) -> str:
        """The name of the month's dlt pipeline, which no other month has."""
        return f"{self.source}_{self.table}_{self.month.replace('-', '_')}"

    @property
    def path(self) -> str:
        """The folder of the month's parquet files and records."""
        return self.folder_of(self.table)

    @property
    def quarantine_path(self) -> str:
        """The folder of the rows that the month's loads refused; most tables have none."""
        return self.folder_of(quarantine_table(self.table))

    def folder_of(self, table: str) -> str:
        """Return the folder of the month's files of a dlt table, its own or its quarantine."""
        return f"{self.dataset}/{table}/month={self.month}"

    def table_of(self, path: str) -> str:
        """Return the dlt table that a data file of the month belongs to."""
        is_quarantined = path.startswith(f"{self.quarantine_path}/")
        return quarantine_table(self.table) if is_quarantined else self.table

    def record_path(self, load_id: str) -> str:
        """Return the path of a load's record; readers of parquet skip names that begin with `_`."""
        return f"{self.path}/_{load_id}.json"

    def listing(self) -> Listing:
        """List the month's folder and its quarantine's, once each.

        What is deleted while a folder is listed may be missing, and what is written may be missing
        too. So a folder that shows no record is listed again: another run may have just landed and
        tidied the month.
        """
        found, is_there = self._look()
        looks = 1
        while is_there and not found.committed and looks < _LOOKS:
            found, is_there = self._look()
            looks += 1
        return found

    def _look(self) -> tuple[Listing, bool]:
        """Return what the folders show now, and whether there are any."""
        found, is_there = Listing(), False
        for folder in (self.path, self.quarantine_path):
            entries = _entries(self.fs, folder)
            is_there = is_there or entries is not None
            for name, size in entries or []:
                if match := _DATA_FILE.fullmatch(name) or _RECORD.fullmatch(name):
                    found.files.setdefault(match[1], {})[f"{folder}/{name}"] = size
                    if match.re is _RECORD and not match["new"]:
                        found.committed.append(match[1])
        found.committed.sort(key=float, reverse=True)
        return found, is_there

    def current_load(self) -> str | None:
        """Return the newest committed load id, or None if the month was never landed."""
        return self.listing().newest

    def current_files(self) -> Load | None:
        """Return the current load, its files all there, or None if the month was never landed.

        Raises:
            DamagedLoadError: the current load is not what its record says; it names the files.
        """
        return self._whole()[1]

    def _whole(self) -> tuple[Listing, Load | None]:
        """Return a listing of the month with its current load; raises as `current_files` does."""
        before = ""
        for _ in range(_READ_ATTEMPTS):
            listing = self.listing()
            if listing.newest is None:
                return listing, None
            try:
                return listing, self.load(listing, listing.newest)
            except FileNotFoundError:
                continue
            except DamagedLoadError:
                # A listing that takes a while can show a record without files written before it.
                if before == listing.newest:
                    raise
                before = listing.newest
        raise LandingError(f"{self} was landed anew at each of many reads")

    def load(self, listing: Listing, load_id: str) -> Load:
        """Return a committed load, having compared names and sizes of its files with its record.

        Raises:
            FileNotFoundError: it has no record any more.
            DamagedLoadError: it is not what its record says, or the record cannot be read.
        """
        try:
            record = read_record(self.fs, self.record_path(load_id))
        except DamagedLoadError as error:
            raise self.damaged([str(error)]) from error
        there = listing.files.get(load_id, {})
        if wrong := [*self._differences(record, there)]:
            raise self.damaged(wrong)
        own = [path for path, file in self.paths(record).items() if file.table == self.table]
        return Load(load_id, record, [self._readable(path) for path in own])

    def paths(self, record: LoadRecord) -> dict[str, RecordedFile]:
        """Return what is recorded of each file by its path."""
        return {f"{self.folder_of(file.table)}/{file.name}": file for file in record.files}

    def readable_quarantine(self, record: LoadRecord) -> list[str]:
        """Return the files of the rows that a load refused, as DuckDB reads them."""
        refused = (p for p, file in self.paths(record).items() if file.table != self.table)
        return [self._readable(path) for path in refused]

    def damaged(self, what: Iterable[str]) -> DamagedLoadError:
        """Return the error that names what is wrong with a load, and what mends it."""
        return DamagedLoadError(
            f"{self}: {'; '.join(what)}. Nothing was changed. Land {self.month} again, which "
            "replaces the damaged load"
        )

    def _differences(self, record: LoadRecord, there: Sizes) -> Iterator[str]:
        for path, file in self.paths(record).items():
            if path not in there:
                yield f"{path} is missing"
            elif there[path] is None:
                yield f"{path} is no file"
            elif there[path] != file.bytes:
                yield f"{path} has {there[path]} bytes, not {file.bytes}"

    def check_content(self, record: LoadRecord) -> None:
        """Read the files of a load, and compare their content with its record.

        Raises:
            DamagedLoadError: a file has another sha256, or cannot be read.
        """
        wrong = [
            f"{path} has not the sha256 that was recorded, {file.sha256}"
            for path, file in self.paths(record).items()
            if self._sha256(path) != file.sha256
        ]
        if wrong:
            raise self.damaged(wrong)

    def _sha256(self, path: str) -> str:
        try:
            with self.fs.open(path, "rb") as file:
                return sha256_of(file)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self.damaged([f"{path} cannot be read: {error}"]) from error

    def commit(self, record: LoadRecord) -> None:
        """Write the record of a load whose files are stored."""
        write_record(self.fs, self.record_path(record.load_id), record)

    def files_of_load(self, load_id: str, listing: Listing | None = None) -> list[str]:
        """Return the paths of one load, its record first: without it the load does not exist."""
        files = (listing or self.listing()).files.get(load_id, {})
        return sorted(files, key=lambda path: (path != self.record_path(load_id), path))

    def stale_files(self, keep_loads: int = 0) -> list[str]:
        """Return the paths that may be deleted, in an order in which stopping halfway is safe.

        Stale is what belongs to loads older than the current one, committed or not. A newer load
        may still be being written and is never stale.

        Args:
            keep_loads: how many superseded loads to keep, the newest of those that are whole.

        Raises:
            DamagedLoadError: the current load is damaged, so what is older may still be needed.
        """
        listing, current = self._whole()
        if current is None:
            return []
        superseded = (i for i in listing.committed[1:] if self._is_whole(listing, i))
        kept = {*islice(superseded, keep_loads)}
        older = (i for i in listing.files if float(i) < float(current.load_id))
        stale = sorted({*older} - kept, key=float)
        return [path for load_id in stale for path in self.files_of_load(load_id, listing)]

    def _is_whole(self, listing: Listing, load_id: str) -> bool:
        """Tell whether a load is what was committed: on the local disk by its content too."""
        try:
            load = self.load(listing, load_id)
            if isinstance(self.fs, LocalFileSystem):
                self.check_content(load.record)
        except (LandingError, FileNotFoundError) as error:
            # A file that cannot be read now is not known to be damaged.
            return isinstance(error.__cause__, OSError)
        return True

    def delete(self, paths: Iterable[str]) -> None:
        """Delete the files; one that is gone already is fine, and every one is tried.

        Raises:
            LandingError: names the files that could not be deleted, with the reason for each.
        """
        failures: list[str] = []
        for path in paths:
            try:
                self._delete(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                failures.append(f"{path}: {error}")
        if failures:
            raise LandingError("could not delete " + "; ".join(failures))

    def _delete(self, path: str) -> None:
        try:
            self.fs.rm_file(path)
        except IsADirectoryError:
            self.fs.rm(path, recursive=True)

    def _readable(self, path: str) -> str:
        url = path if isinstance(self.fs, LocalFileSystem) else self.fs.unstrip_protocol(path)
        # DuckDB takes a path for a pattern.
        return glob.escape(url)


def _entries(fs: FileSystem, folder: str) -> list[tuple[str, int | None]] | None:
    """Return name and size of what is in a folder, None if there is no such folder."""
    try:
        found = fs.ls(folder, detail=True)
    except FileNotFoundError:
        return None
    return [
        (str(entry["name"]).rsplit("/", 1)[-1], _size(entry) if entry["type"] == "file" else None)
        for entry in found
    ]


def _size(entry: dict[str, Any]) -> int:
    return int(entry["size"] or 0)
