"""Reading what the soak's runs write: every read must be one whole version of each part."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines_project_tests.faults.live_data import LiveData, Month, Rows
from pipelines_project_tests.faults.soak.served import (
    MONTHS,
    PARTS,
    Part,
    content_by_part,
    version_of,
)
from pipelines_project_tests.faults.soak.services import TABLES
from pipelines_project_tests.faults.stores import Stores

ALL_MONTHS = [Month(source, table, month) for source, table in TABLES.items() for month in MONTHS]


def live_data(folder: Path, month: Month) -> LiveData:
    """Return the data below a folder as it is of the month's source."""
    return LiveData(Stores(folder), is_merged=month.source == "freshdesk")


def parts_of(month: Month) -> list[Part]:
    """Return what the month is made of."""
    return [part for part in PARTS if (part.source, part.month) == (month.source, month.month)]


def whole_versions(month: Month, rows: Rows | None) -> dict[Part, int]:
    """Return the version of each part of the month that the rows are; others may be among them.

    Raises:
        AssertionError: a part is missing, or not one whole version.
    """
    found = content_by_part(rows)
    missing = {part.key for part in parts_of(month)} - {*found}
    assert not missing, f"{month} has nothing of {missing}"
    return {part: version_of(part, found[part.key]) for part in parts_of(month)}


def landed_versions(folder: Path, month: Month) -> dict[Part, int]:
    """Return the versions of the month's current load, read as the landing rules say.

    Raises:
        AssertionError: it is not whole.
        duckdb.IOException: a file went while its load was current.
    """
    live = live_data(folder, month)
    while True:
        before = live.landing.month(*month).current_load()
        try:
            return whole_versions(month, live.landed(month))
        except duckdb.IOException:
            if live.landing.month(*month).current_load() == before:
                raise


def loaded_versions(folder: Path, month: Month) -> dict[Part, int]:
    """Return the versions of the month in the warehouse; raises as `landed_versions` does."""
    return whole_versions(month, live_data(folder, month).held(month).loaded)


def _read(
    versions: Callable[[Path, Month], dict[Part, int]],
    folder: Path,
    pause: float,
    reads: Any,
    said: Any,
    end: Any,
) -> None:
    """Read every month again and again, which is what a reader's process does.

    Args:
        versions: reads one month.
        folder: where the data is.
        pause: the seconds between two reads.
        reads: a shared number, how often that was.
        said: a queue of the differences that were found.
        end: an event after which it ends.
    """
    while not end.is_set():
        for month in ALL_MONTHS:
            try:
                versions(folder, month)
            except Exception as error:
                said.put(f"{versions.__name__} {month}: {error!r}")
            reads.value += 1
            time.sleep(pause)


@contextmanager
def readers(folder: Path) -> Iterator[tuple[list[Any], Any]]:
    """Let processes read meanwhile: one the landing zone at all times, one the warehouse at times.

    Yields:
        How often each has read, and a queue of the differences that they find.
    """
    context = multiprocessing.get_context("spawn")
    end, found, counts = context.Event(), context.SimpleQueue(), []
    started = []
    for versions, pause in ((landed_versions, 0.01), (loaded_versions, 0.5)):
        counts.append(context.Value("q", 0))
        args = (versions, folder, pause, counts[-1], found, end)
        name = f"reader of {versions.__name__}"
        started.append(context.Process(target=_read, args=args, name=name, daemon=True))
        started[-1].start()
    try:
        yield counts, found
        assert all(reader.is_alive() for reader in started), "a reader has ended too early"
    finally:
        end.set()
        for reader in started:
            reader.join(60)
            reader.kill()
