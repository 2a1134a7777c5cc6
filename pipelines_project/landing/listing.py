"""What a look at a month's folders shows: which loads have a record, and which files are there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines_project.landing.storage import FileSystem, entries_of

LOAD_ID = re.compile(r"[0-9]{1,12}\.[0-9]{1,12}")
_DATA_FILE = re.compile(rf"({LOAD_ID.pattern})\.[^/]+\.parquet")
_RECORD = re.compile(rf"_({LOAD_ID.pattern})\.json(?P<new>\.new)?")
_LOOKS = 5

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

    def without(self, load_id: str) -> "Listing":
        """Return what it would show without a load."""
        return Listing(
            [each for each in self.committed if each != load_id],
            {each: files for each, files in self.files.items() if each != load_id},
        )


def listing_of(fs: FileSystem, folders: Sequence[str]) -> Listing:
    """List the folders of a month, once each.

    What is deleted while a folder is listed may be missing, and what is written may be missing
    too. So a folder that shows no record is listed again: another run may have just landed and
    tidied the month.
    """
    found, is_there = _look(fs, folders)
    looks = 1
    while is_there and not found.committed and looks < _LOOKS:
        found, is_there = _look(fs, folders)
        looks += 1
    return found


def _look(fs: FileSystem, folders: Sequence[str]) -> tuple[Listing, bool]:
    """Return what the folders show now, and whether there are any."""
    found, is_there = Listing(), False
    for folder in folders:
        entries = _entries(fs, folder)
        is_there = is_there or entries is not None
        for name, size in entries or []:
            if match := _DATA_FILE.fullmatch(name) or _RECORD.fullmatch(name):
                found.files.setdefault(match[1], {})[f"{folder}/{name}"] = size
                if match.re is _RECORD and not match["new"]:
                    found.committed.append(match[1])
    found.committed.sort(key=float, reverse=True)
    return found, is_there


def _entries(fs: FileSystem, folder: str) -> list[tuple[str, int | None]] | None:
    """Return name and size of what is in a folder, None if there is no such folder."""
    found = entries_of(fs, folder)
    if found is None:
        return None
    return [
        (str(entry["name"]).rsplit("/", 1)[-1], _size(entry) if entry["type"] == "file" else None)
        for entry in found
    ]


def _size(entry: dict[str, Any]) -> int:
    return int(entry["size"] or 0)
