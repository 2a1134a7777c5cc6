"""Writing files so that they outlast a loss of power.

On the local disk that takes a flush of the file and of the folder that holds its name. An object
store promises as much for each put that it has answered.
"""

import os
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Protocol, cast

import duckdb
from fsspec.implementations.local import LocalFileSystem

NEW = ".new"


class FileSystem(Protocol):
    """What the landing zone needs of fsspec's filesystems, which state no types."""

    def ls(self, path: str, detail: bool) -> list[Any]:
        """Return the entries of a folder: their paths, or dicts that describe them."""
        ...

    def open(self, path: str, mode: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file."""
        ...

    def cat_file(self, path: str) -> bytes:
        """Return the content of a file."""
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


def register(connection: duckdb.DuckDBPyConnection, fs: FileSystem) -> None:
    """Let a DuckDB connection reach the filesystem's files, wherever they are."""
    protocol: Any = cast(Any, fs).protocol
    protocols = {protocol} if isinstance(protocol, str) else {*protocol}
    # A connection knows one filesystem of a kind, and the environment says how each connects.
    if not isinstance(fs, LocalFileSystem) and not protocols & {*connection.list_filesystems()}:
        connection.register_filesystem(cast(Any, fs))


def put_file(fs: FileSystem, local: Path, path: str) -> None:
    """Store a copy of a local file under the path, durably; nobody may look for it before."""
    folder = path.rpartition("/")[0]
    if not isinstance(fs, LocalFileSystem):
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
