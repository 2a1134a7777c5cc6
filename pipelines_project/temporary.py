"""What is temporary: folders that go also when their process was killed, and DuckDB sessions."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines_project.memory import duckdb_budget

_PREFIX = "pipelines_project-"


@contextmanager
def working_folder() -> Generator[str]:
    """Give an empty folder of one's own and delete it afterwards.

    Its lock ends with the process, however that ends; a folder whose lock is free is nobody's, and
    whoever next needs a folder deletes it.
    """
    delete_abandoned()
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[str, int]:
    """Return a new folder with its lock; one that was taken for abandoned before is given up."""
    while True:
        folder = tempfile.mkdtemp(prefix=_PREFIX)
        with suppress(FileNotFoundError, BlockingIOError):
            lock = _lock(folder)
            if Path(folder).exists():
                return folder, lock
            os.close(lock)


def _lock(folder: str) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def delete_abandoned(*, dry_run: bool = False) -> list[str]:
    """Delete the folders of processes that were killed, and return them."""
    found: list[str] = []
    for folder in filter(Path.is_dir, Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        # It is in use, gone by now, another user's, or where files cannot be locked.
        with suppress(OSError):
            lock = _lock(str(folder))
            if not dry_run:
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
            found.append(str(folder))
    return found


@contextmanager
def duckdb_session(**config: bool | int | str) -> Generator[duckdb.DuckDBPyConnection]:
    """Give a connection that spills what does not fit into memory to a folder of its own.

    The names of DuckDB's temporary files are alike in all processes. Two that spill into one
    folder, which is `.tmp` in the working directory by default, overwrite and delete each other's.

    Its memory and threads are those of `duckdb_budget`; by itself DuckDB takes most of the machine.

    Args:
        config: more settings of DuckDB.
    """
    settings = {**duckdb_budget().settings(), **config}
    with (
        working_folder() as folder,
        duckdb.connect(config={**settings, "temp_directory": folder}) as connection,
    ):
        yield connection
