"""Writing files so that they outlast a loss of power.

On the local disk that takes a flush of the file and of the folder that holds its name. An object
store promises as much for each put that it has answered.
"""

import glob
import os
import shutil
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import uuid4

from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.errors import LandingError

NEW = ".new"
_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}


class FileSystem(Protocol):
    """What the landing zone needs of fsspec's filesystems, which state no types."""

    protocol: str | tuple[str, ...]

    def ls(self, path: str, detail: bool) -> list[Any]:
        """Return the entries of a folder: their paths, or dicts that describe them."""
        ...

    def find(
        self, path: str, maxdepth: int, withdirs: bool, detail: bool, prefix: str
    ) -> dict[str, Any]:
        """Return by its path what is below a folder and begins with a prefix; S3 has this."""
        ...

    def open(self, path: str, mode: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file."""
        ...

    def cat_file(self, path: str, start: int = 0) -> bytes:
        """Return the content of a file from a position on."""
        ...

    def get_file(self, rpath: str, lpath: str) -> None:
        """Make a local copy of a file."""
        ...

    def pipe_file(self, path: str, value: bytes) -> None:
        """Write a file at once."""
        ...

    def put_file(self, lpath: str, rpath: str) -> None:
        """Store a copy of a local file."""
        ...

    def rm_file(self, path: str) -> None:
        """Delete a file."""
        ...

    def rm(self, path: str, recursive: bool) -> None:
        """Delete a folder and what is in it."""
        ...

    def makedirs(self, path: str, exist_ok: bool) -> None:
        """Make a folder and those above it, where there are folders."""
        ...

    def unstrip_protocol(self, name: str) -> str:
        """Return the URL of a path."""
        ...


def protocols(fs: FileSystem) -> set[str]:
    """Return what the filesystem's URLs begin with."""
    return {fs.protocol} if isinstance(fs.protocol, str) else {*fs.protocol}


def entries_of(fs: FileSystem, folder: str) -> list[dict[str, Any]] | None:
    """Return what is in a folder, None if there is no such folder.

    Raises:
        LandingError: there is no such bucket, or no right key.
    """
    if "s3" not in protocols(fs):
        try:
            return fs.ls(folder, detail=True)
        except FileNotFoundError:
            return None
    # Not every landing zone needs it.
    from botocore.exceptions import BotoCoreError

    # One request. Where there is nothing, `ls` would list the folder above too.
    parent, _, name = folder.rpartition("/")
    try:
        found = fs.find(parent, maxdepth=1, withdirs=True, detail=True, prefix=f"{name}/")
    except (FileNotFoundError, PermissionError, BotoCoreError) as error:
        raise LandingError(f"cannot list {folder}, below LANDING_URL: {error}") from error
    return [*found.values()] or None


def put_file(fs: FileSystem, local: Path, path: str) -> None:
    """Store a copy of a local file under the path, durably; nobody may look for it before."""
    folder = path.rpartition("/")[0]
    if not isinstance(fs, LocalFileSystem):
        if not protocols(fs) & _WITHOUT_FOLDERS:
            fs.makedirs(folder, exist_ok=True)
        fs.put_file(str(local), path)
        return
    _make_folder(Path(folder))
    with local.open("rb") as source, Path(path).open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        _flush(target)
    _flush_folder(Path(folder))


def put_whole(fs: FileSystem, path: str, content: bytes) -> None:
    """Store a small file durably, so that under its path there is all of it or nothing."""
    if not isinstance(fs, LocalFileSystem):
        fs.pipe_file(path, content)
        return
    new = Path(f"{path}{NEW}")
    with new.open("wb") as file:
        file.write(content)
        _flush(file)
    new.replace(path)
    _flush_folder(new.parent)


def replace_file(fs: FileSystem, local: Path, path: str) -> None:
    """Store a copy of a local file in the place of what is there, which readers see until then.

    What a killed process left half written beside it goes. Two that write at once do not meet: if
    one takes the other's for such a rest, the other writes again.
    """
    if not isinstance(fs, LocalFileSystem):
        put_file(fs, local, path)
        return
    target = Path(path)
    while True:
        new = target.with_name(f"{target.name}.{uuid4().hex}{NEW}")
        put_file(fs, local, str(new))
        with suppress(FileNotFoundError):
            new.replace(target)
            break
    delete_unfinished(fs, path)
    _flush_folder(target.parent)


def delete_unfinished(fs: FileSystem, path: str) -> None:
    """Delete what killed processes have left half written beside the path."""
    if isinstance(fs, LocalFileSystem):
        for left in Path(path).parent.glob(f"{glob.escape(Path(path).name)}.*{NEW}"):
            left.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, each of which is made durable by the one above."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _flush_folder(made.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush(file: IO[bytes]) -> None:
    """Hand what Python still holds of a file to the system, and that to the disk."""
    file.flush()
    os.fsync(file.fileno())
