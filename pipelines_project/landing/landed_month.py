"""One month of one table in the landing zone: its loads, which is current, which files are stale.

A load is the files that its record names. The record is written after them, so it commits the load.
The current load of a month is the newest load id that has a record. Files that no record names do
not exist for readers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.checked_month import CheckedMonth
from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.listing import Listing, listing_of
from pipelines_project.landing.record import LoadRecord, read_record, write_record

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
class LandedMonth(CheckedMonth):
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
