"""Where a landed month has rows of a person: which files of which loads, and how many rows."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from pipelines_project.forget.subject import QUARANTINED_TEXT, Subject
from pipelines_project.landing.month_folder import MonthFolder
from pipelines_project.landing.record import LoadRecord, read_record
from pipelines_project.landing.rows import row_groups

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

Found = dict[str, dict[str, int | None]]
"""By load, the rows that each file has of the person; None of a file that cannot be read."""


def columns(place: MonthFolder) -> set[str]:
    """Return the columns of the month's files, of whatever load."""
    found: set[str] = set()
    for path in chain.from_iterable(place.files_by_load().values()):
        # What cannot be read is told when its rows are counted.
        with suppress(pa.ArrowInvalid, OSError), place.fs.open(path, "rb") as file:
            found |= {*pq.read_schema(file).names}
    return found


def find(place: MonthFolder, subject: Subject) -> Found:
    """Return every file of the month that has rows of the person, or that cannot be read."""
    found: Found = {}
    for load_id, paths in place.data_files_by_load().items():
        counts = {path: _count(place, path, subject) for path in paths}
        if held := {path: count for path, count in counts.items() if count != 0}:
            found[load_id] = held
    return found


def counts(place: MonthFolder, subject: Subject) -> Counter[str]:
    """Return how many rows of the person the month has, by where they are."""
    committed, total = place.committed_loads(), Counter[str]()
    for load_id, files in find(place, subject).items():
        kind = "kept loads" if load_id in committed[1:] else "loads without a marker"
        kind = "current load" if load_id in committed[:1] else kind
        for path, rows in files.items():
            where = "quarantine" if path.startswith(place.quarantine_path) else kind
            total[where if rows else f"unreadable files of {kind}"] += rows or 1
    if records := [*telling_records(place, subject)]:
        total["records"] = len(records)
    return total


def telling_records(place: MonthFolder, subject: Subject) -> Iterator[LoadRecord]:
    """Yield the records whose facts of what was fetched name the person."""
    for load_id in place.all_files_by_load():
        record = read_record(place, load_id)
        if record and any(subject.is_in(f"{k} {v}") for k, v in record.fetched.items()):
            yield record


def _count(place: MonthFolder, path: str, subject: Subject) -> int | None:
    is_theirs, table = subject.among(place.table), place.table_of(path)
    try:
        groups = row_groups(place.fs, path, [subject.column, QUARANTINED_TEXT])
        return sum(pc.sum(is_theirs(table, rows)).as_py() or 0 for rows in groups)
    except (pa.ArrowInvalid, OSError):
        return None
