"""The files `versions/001_<name>.sql`, in which a source's tables are changed on purpose."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines_project.warehouse.versions.changes import Change
from pipelines_project.warehouse.versions.shape import Shapes, shapes_after
from pipelines_project.warehouse.versions.statements import parse

_FILE = re.compile(r"(?P<number>\d{3})_[a-z0-9]+(_[a-z0-9]+)*\.sql")


@dataclass(frozen=True)
class Version:
    """A file of statements.

    Attributes:
        number: its place, from 1.
        path: the file.
        sql: its text.
        changes: what it says.
    """

    number: int
    path: Path
    sql: str
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    @property
    def checksum(self) -> str:
        """A short text that is another one if the file's is, however its lines end."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_versions(folder: Path, source: str) -> tuple[Version, ...]:
    """Return the versions of a folder in order; none if there is no folder.

    Raises:
        ValueError: a file has another name, a number is missing or there twice, or a statement is
            none that may stand there or that can follow those before it; it names the file.
    """
    if not folder.exists():
        return ()
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    versions = [_read(path, source) for path in paths]
    for place, version in enumerate(versions, start=1):
        if version.number < place and place > 1:
            before = versions[place - 2].name
            raise ValueError(f"{version.path}: {before} has the number {version.number:03} too")
        if version.number != place:
            raise ValueError(f"{version.path}: there is no version {place:03} before it")
    shapes_of(versions)
    return tuple(versions)


def shapes_of(versions: Iterable[Version]) -> Shapes:
    """Return what the versions make of the tables that they name."""
    shapes: Shapes = {}
    for version in versions:
        try:
            shapes = shapes_after(version.changes, shapes)
        except ValueError as error:
            raise ValueError(f"{version.path}: {error}") from error
    return shapes


def _read(path: Path, source: str) -> Version:
    match = _FILE.fullmatch(path.name)
    if not match or not path.is_file():
        raise ValueError(
            f"{path}: the files of versions/ are named 001_<what_changes>.sql, in order, with a-z, "
            "0-9 and _"
        )
    try:
        # Universal newlines: a checkout may write other ends of lines.
        sql = path.read_text(encoding="utf-8")
        changes = parse(sql, source)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not changes:
        raise ValueError(f"{path}: there is no statement in it")
    return Version(int(match["number"]), path, sql, changes)
