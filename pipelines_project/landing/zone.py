"""The landing zone: parquet by month on any filesystem that fsspec knows."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.open_store import open_store
from pipelines_project.landing.storage import FileSystem
from pipelines_project.names import checked_name, is_name, is_quarantine, quarantine_table

# An object store takes a while to answer each request.
_AT_ONCE = 8
_MONTH_FOLDER = re.compile(r"month=(\d{4}-(?:0[1-9]|1[0-2]))")


@dataclass(frozen=True)
class LandingZone:
    """Where months are landed.

    Attributes:
        url: the root: a path or URL.
    """

    url: str = "data/landing"

    @cached_property
    def _root(self) -> tuple[FileSystem, str]:
        return open_store(self.url)

    @property
    def fs(self) -> FileSystem:
        """The filesystem that holds the landing zone; a URL that is none is a `LandingError`."""
        return self._root[0]

    def month(self, source: str, table: str, month: str) -> LandedMonth:
        """Return one month of a table; a name that is not one raises `ValueError`."""
        return LandedMonth(self.fs, f"{self._root[1]}/{source}", source, table, month)

    def tables(self) -> list[tuple[str, str]]:
        """Return source and name of every table that has a folder, in order."""
        return [
            (source, table)
            for source in self._folders(self._root[1])
            for table in self._folders(f"{self._root[1]}/{source}")
            if not is_quarantine(table)
        ]

    def _folders(self, path: str) -> list[str]:
        """Return what a folder holds that has the name of a source or table."""
        try:
            paths = self.fs.ls(path, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(filter(is_name, (each.rstrip("/").rsplit("/", 1)[-1] for each in paths)))

    def months_with_files(self, source: str, table: str) -> list[str]:
        """Return the months that have a folder, landed or not, in order: two listings."""
        dataset = f"{self._root[1]}/{checked_name(source)}"
        names: set[str] = set()
        for name in (checked_name(table), quarantine_table(table)):
            try:
                paths = self.fs.ls(f"{dataset}/{name}", detail=False)
            except FileNotFoundError:
                continue
            names |= {path.rsplit("/", 1)[-1] for path in paths}
        return sorted(match[1] for match in map(_MONTH_FOLDER.fullmatch, names) if match)

    def current_loads(self, source: str, table: str) -> dict[str, Load | str]:
        """Return the current load of each landed month, in order, or what is wrong with it."""
        months = self.months_with_files(source, table)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(_current, [self.month(source, table, month) for month in months])
            return {month: load for month, load in zip(months, found, strict=True) if load}

    def months(self, source: str, table: str) -> list[str]:
        """Return the months that have a committed load, in order: two listings for each month."""
        return [
            month
            for month in self.months_with_files(source, table)
            if self.month(source, table, month).current_load()
        ]


def _current(month: LandedMonth) -> Load | str | None:
    try:
        return month.current_files()
    except LandingError as error:
        return str(error)
