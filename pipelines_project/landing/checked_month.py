"""Whether the files of a month are those that a record names: names, sizes, content."""

import glob
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.listing import Listing, Sizes
from pipelines_project.landing.month_place import MonthPlace
from pipelines_project.landing.record import LoadRecord, RecordedFile, sha256_of


@dataclass(frozen=True)
class CheckedMonth(MonthPlace):
    """The place of one month, whose files are compared with what is recorded of them."""

    def paths(self, record: LoadRecord) -> dict[str, RecordedFile]:
        """Return what is recorded of each file by its path."""
        return {f"{self.folder_of(file.table)}/{file.name}": file for file in record.files}

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
