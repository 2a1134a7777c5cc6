"""What is recorded of a load at its commit, to tell later whether it is whole and unchanged.

The record is a file beside the load's data, written before dlt loads that: a committed load has a
record of every file that it was committed with. Loads that were landed before there were records
have none.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from pipelines_project.landing.month_folder import MonthFolder


@dataclass(frozen=True)
class RecordedFile:
    """One data file of a load.

    Attributes:
        table: the dlt table, which is the month's or its quarantine.
        name: of the file in that table's folder of the month.
        rows: in it.
        bytes: its size.
        sha256: of its content, in hexadecimal.
    """

    table: str
    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class LoadRecord:
    """A load as it was committed.

    Attributes:
        load_id: the load.
        schema_version: the hash of its dlt schema, as its marker states it.
        files: every data file, of the table and of its quarantine.
        fetched: what the source wants to compare the next time, such as the ETag of an address.
    """

    load_id: str
    schema_version: str
    files: list[RecordedFile]
    fetched: dict[str, str] = field(default_factory=dict)

    def rows_of(self, table: str) -> int:
        """Return how many rows of a dlt table the load has."""
        return sum(file.rows for file in self.files if file.table == table)


_JSON = TypeAdapter(LoadRecord)


def recorded_file(table: str, name: str, path: Path) -> RecordedFile:
    """Return what is recorded of a local parquet file that is stored under the name."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    rows = pq.read_metadata(path).num_rows
    return RecordedFile(table, name, rows, path.stat().st_size, digest)


def recorded_paths(place: MonthFolder, record: LoadRecord) -> dict[str, RecordedFile]:
    """Return what is recorded of each file by its path."""
    return {f"{place.folder_of(file.table)}/{file.name}": file for file in record.files}


def is_whole(place: MonthFolder, load_id: str, files: list[str]) -> bool:
    """Tell whether a committed load has all its files, by their names.

    Args:
        place: the month.
        load_id: the load.
        files: those of the load that are there. Without a record, any with rows will do.
    """
    if record := read_record(place, load_id):
        return has_recorded_files(place, record, files)
    return any(file.endswith(".parquet") for file in files)


def has_recorded_files(place: MonthFolder, record: LoadRecord, files: list[str]) -> bool:
    """Tell whether all the recorded files are among those that are there."""
    return recorded_paths(place, record).keys() <= {*files}


def read_record(place: MonthFolder, load_id: str) -> LoadRecord | None:
    """Return what was recorded of the load, or None if there is no whole record of it."""
    try:
        return _JSON.validate_json(place.fs.cat_file(place.record(load_id)))
    except (FileNotFoundError, ValidationError):
        return None


def write_record(place: MonthFolder, record: LoadRecord) -> None:
    """Write the record, or replace it: under its name there is a whole one or none."""
    path = place.record(record.load_id)
    place.fs.makedirs(place.path, exist_ok=True)
    place.fs.pipe_file(f"{path}.new", _JSON.dump_json(record))
    place.fs.mv(f"{path}.new", path)
