"""The load that a new one would replace: its rows and facts, also where it is damaged."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import LoadRecord, read_record

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


@dataclass(frozen=True)
class Previous:
    """The month's current load before a new one.

    Attributes:
        load_id: the load, None if the month was never landed.
        record: its record, None if the load is damaged or there is none.
        rows: of the month's table, by the record; by the files where the record is damaged.
        facts: what its rows were made from, by the record.
        damage: what is wrong with it, "" if nothing is.
    """

    load_id: str | None = None
    record: LoadRecord | None = None
    rows: int = 0
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    damage: str = ""


def previous_load(month: LandedMonth) -> Previous:
    """Return the month's current load.

    On the local disk the files' content is compared with the record too: hashing them takes a
    hundredth of the time that fetching them took.

    Raises:
        LandingError: another version of this project has written its record.
    """
    try:
        current = month.current_files()
        if current is None:
            return Previous()
        if isinstance(month.fs, LocalFileSystem):
            month.check_content(current.record)
    except DamagedLoadError as error:
        return _damaged(month, str(error))
    except FileNotFoundError:
        # Another run has landed the month since it was listed.
        return previous_load(month)
    record = current.record
    return Previous(current.load_id, record, record.rows_of(month.table), record.fetched)


def _damaged(month: LandedMonth, damage: str) -> Previous:
    load_id = month.current_load()
    if load_id is None:
        return Previous()
    with suppress(DamagedLoadError, FileNotFoundError):
        record = read_record(month.fs, month.record_path(load_id))
        return Previous(load_id, None, record.rows_of(month.table), record.fetched, damage)
    return Previous(load_id, None, _rows_in_files(month, load_id), damage=damage)


def _rows_in_files(month: LandedMonth, load_id: str) -> int:
    """Return how many rows the load's own files have, as far as they can be read."""
    rows = 0
    for path in month.files_of_load(load_id):
        if path.endswith(".parquet") and month.table_of(path) == month.table:
            with suppress(pa.ArrowInvalid, OSError), month.fs.open(path, "rb") as file:
                rows += pq.read_metadata(file).num_rows
    return rows
