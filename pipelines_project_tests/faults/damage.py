"""Ways in which a file is damaged, each until the end of a `with` block or for good."""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_unreadable: set[str] = set()
_is_watching: list[bool] = []


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def _flip(path: Path) -> None:
    flip(path, path.stat().st_size // 2)


def _put_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").touch()


def _refuse_to_read(path: Path) -> None:
    """Let every `open` of the file fail in this process, which even root's is."""
    if not _is_watching:
        sys.addaudithook(_refuse)
        _is_watching.append(True)
    _unreadable.add(str(path))


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and _unreadable and str(args[0]) in _unreadable:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(args[0]))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": _cut,
    "emptied": _empty,
    "a flipped bit": _flip,
    "a directory in its place": _put_directory,
    "missing": Path.unlink,
    "unreadable": _refuse_to_read,
}


@contextmanager
def damaged(path: Path, damage: str) -> Iterator[None]:
    """Damage a file in one of the ways; it can be read again afterwards, if it is there."""
    DAMAGES[damage](path)
    try:
        yield
    finally:
        _unreadable.discard(str(path))


def replace_folder(folder: Path, by: Path) -> None:
    """Make a folder the copy of another."""
    shutil.rmtree(folder)
    shutil.copytree(by, folder)
