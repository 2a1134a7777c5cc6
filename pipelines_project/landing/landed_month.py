"""One month of one table in the landing zone: its loads, which is current, which files are stale.

A load is the files that its record names. The record is written after them, so it commits the load.
The current load of a month is the newest load id that has a record. Files that no record names do
not exist for readers.
"""

import glob
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.listing import Listing, Sizes, listing_of
from pipelines_project.landing.month_place import MonthPlace
from pipelines_project.landing.record import (
    LoadRecord,
    RecordedFile,
    read_record,
    sha256_of,
    write_record,
)

_READ_ATTEMPTS = 100


@dataclass(frozen=True)
class Load:
    """A committed load.

    Attributes:
        load_id: its id.
        record: its record.
        files: the paths of those of the table, as DuckDB takes them.
        quarantined: those of the rows that it refused.
    """

    load_id: str
    record: LoadRecord
    files: list[str]
    quarantined: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class LandedMonth(MonthPlace):
    """One month of one table, with the loads that are landed in its place."""

    def listing(self) -> Listing:
        """List the month's folder and its quarantine's."""
        return listing_of(self.fs, (self.path, self.quarantine_path))

    def current_load(self) -> str | None:
        """Return the newest committed load id, or None if the month was never landed."""
        return self.listing().newest

    def current_files(self) -> Load | None:
        """Return the current load, its files all there, or None if the month was never landed.

        Raises:
            DamagedLoadError: the current load is not what its record says; it names the files.
        """
        return self.whole()[1]

    def whole(
        self, look: Listing | None = None, without: str | None = None
    ) -> tuple[Listing, Load | None]:
        """Return a listing of the month with its current load; raises as `current_files` does.

        Args:
            look: a listing, if there is one by now.
            without: a load that is taken for one that is not there.
        """
        before = ""
        for _ in range(_READ_ATTEMPTS):
            listing, look = look or self.listing(), None
            if without:
                listing = listing.without(without)
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
        self.check_files(record, listing)
        own, refused = self.own_and_refused((p, f.table) for p, f in self.paths(record).items())
        return Load(load_id, record, own, refused)

    def own_and_refused(self, files: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
        """Return the table's own files and those of the rows that it refused, as DuckDB takes them.

        Args:
            files: their paths, each with its dlt table.
        """
        own, refused = list[str](), list[str]()
        for path, table in files:
            (own if table == self.table else refused).append(glob.escape(path))
        return own, refused

    def check_files(self, record: LoadRecord, listing: Listing) -> None:
        """Compare names and sizes of a load's files with its record.

        Raises:
            DamagedLoadError: it is not what its record says.
        """
        if wrong := [*self._differences(record, listing.files.get(record.load_id, {}))]:
            raise self.damaged(wrong)

    def paths(self, record: LoadRecord) -> dict[str, RecordedFile]:
        """Return what is recorded of each file by its path."""
        return {f"{self.folder_of(file.table)}/{file.name}": file for file in record.files}

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
        digests = {path: self._sha256(path) for path in self.paths(record)}
        self.check_digests(record, digests)

    def check_digests(self, record: LoadRecord, digests: Mapping[str, str]) -> None:
        """Compare the sha256 of each file, by its path, with the record; raises as above."""
        wrong = [
            f"{path} has not the sha256 that was recorded, {file.sha256}"
            for path, file in self.paths(record).items()
            if digests[path] != file.sha256
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
            if not isinstance(self.fs, LocalFileSystem):
                raise
            raise self.damaged([f"{path} cannot be read: {error}"]) from error

    def commit(self, record: LoadRecord) -> None:
        """Write the record of a load whose files are stored."""
        write_record(self.fs, self.record_path(record.load_id), record)

    def files_of_load(self, load_id: str, listing: Listing | None = None) -> list[str]:
        """Return the paths of one load, its record first: without it the load does not exist."""
        files = (listing or self.listing()).files.get(load_id, {})
        return sorted(files, key=lambda path: (path != self.record_path(load_id), path))

    def stale_files(
        self, keep_loads: int = 0, look: Listing | None = None, current: Load | None = None
    ) -> list[str]:
        """Return the paths that may be deleted, in an order in which stopping halfway is safe.

        Stale is what belongs to loads older than the current one, committed or not. A newer load
        may still be being written and is never stale.

        Args:
            keep_loads: how many superseded loads to keep, the newest of those that are whole.
            look: a listing of the month, if there is one by now.
            current: the current load by that listing, if it was read by now.

        Raises:
            DamagedLoadError: the current load is damaged, so what is older may still be needed.
        """
        listing, current = (look, current) if look and current else self.whole(look)
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
