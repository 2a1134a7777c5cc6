"""Where a landed month, or a published mart, has rows of a person, and how many."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from pipelines_project.forget.subject import QUARANTINED_TEXT, Subject
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import read_record
from pipelines_project.landing.rows import row_groups
from pipelines_project.marts.published import PublishedFile

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

UNREADABLE = -1

Found = dict[str, dict[str, int]]
"""By load, what each file has of the person: rows, `UNREADABLE`, or 1 for a record that tells."""


def columns(month: LandedMonth) -> set[str]:
    """Return the columns of the month's files, of whatever load."""
    found: set[str] = set()
    for path in _data_files(month):
        # What cannot be read is told when its rows are counted.
        if month.table_of(path) == month.table:
            with suppress(pa.ArrowInvalid, OSError), month.fs.open(path, "rb") as file:
                found |= {*pq.read_schema(file).names}
    return found


def _data_files(month: LandedMonth) -> Iterator[str]:
    for files in month.listing().files.values():
        yield from (path for path in files if path.endswith(".parquet"))


def find(month: LandedMonth, subject: Subject) -> Found:
    """Return every file of the month that has rows of the person, or that cannot be read."""
    found: Found = {}
    for load_id, paths in month.listing().files.items():
        counts = {path: _count(month, path, subject) for path in paths}
        if held := {path: count for path, count in counts.items() if count}:
            found[load_id] = held
    return found


def counts(month: LandedMonth, subject: Subject) -> Counter[str]:
    """Return how many rows of the person the month has, by where they are."""
    committed, total = month.listing().committed, Counter[str]()
    for load_id, files in find(month, subject).items():
        kind = "kept loads" if load_id in committed[1:] else "loads without a record"
        kind = "current load" if load_id in committed[:1] else kind
        for path, rows in files.items():
            total[_where(month, path, rows, kind)] += abs(rows)
    return total


def _where(month: LandedMonth, path: str, rows: int, kind: str) -> str:
    if rows == UNREADABLE:
        return f"unreadable files of {kind}"
    if not path.endswith(".parquet"):
        return "records"
    return kind if month.table_of(path) == month.table else "quarantine"


def _count(month: LandedMonth, path: str, subject: Subject) -> int:
    if not path.endswith(".parquet"):
        return _told_by_record(month, path, subject)
    is_theirs, table = subject.among(month.table), month.table_of(path)
    try:
        groups = row_groups(month.fs, path, [subject.column, QUARANTINED_TEXT])
        return sum(pc.sum(is_theirs(table, rows)).as_py() or 0 for rows in groups)
    except FileNotFoundError:
        return 0
    except (pa.ArrowInvalid, OSError):
        return UNREADABLE


def in_published(file: PublishedFile, subject: Subject) -> int:
    """Return how many rows of the person a mart's file has; 1 if it cannot be read."""
    try:
        groups = row_groups(file.fs, file.path, [subject.column])
        return sum(pc.sum(subject.of_rows(rows)).as_py() or 0 for rows in groups)
    except FileNotFoundError:
        return 0
    except pa.ArrowInvalid:
        return 1


def _told_by_record(month: LandedMonth, path: str, subject: Subject) -> int:
    try:
        record = read_record(month.fs, path)
    except FileNotFoundError:
        return 0
    except LandingError:
        return UNREADABLE
    told = {**record.fetched, **record.details}
    return int(any(subject.is_in(f"{name} {value}") for name, value in told.items()))
