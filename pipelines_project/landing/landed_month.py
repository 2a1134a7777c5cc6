"""One month of one table on storage: names, paths and listings, as dlt's filesystem has them."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dlt.common.schema.exceptions import InvalidSchemaName
from dlt.destinations.impl.filesystem.filesystem import CURRENT_VERSION, INIT_FILE_NAME
from fsspec import AbstractFileSystem

from pipelines_project.months import checked_month
from pipelines_project.sources.rows import quarantine_table

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LOAD_ID = re.compile(r"[0-9]{1,12}\.[0-9]{1,12}")
_DATA_FILE = re.compile(r"(\d+\.\d+)\.[^/]+\.parquet")
_MONTH_FOLDER = re.compile(r"month=(\d{4}-(?:0[1-9]|1[0-2]))")
_RECORD = re.compile(r"_(\d+\.\d+)\.json(\.new)?")
_MARKER = re.compile(r"(?P<schema>.+)__(?P<load_id>\d+\.\d+)\.jsonl")
_SCHEMA_FILE = re.compile(r"(?P<schema>.+)__(?P<written>\d+\.\d+)__(?P<hash>[0-9a-f]+)\.jsonl")


def checked_name(name: str) -> str:
    """Return the name of a source or table if dlt, a path and SQL all take it as it is.

    Raises:
        ValueError: for anything but lower-case words joined by single underscores.
    """
    if len(name) > 60 or not _NAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is not a name: use a-z, 0-9 and single underscores")
    return name


def names_in(fs: AbstractFileSystem, folder: str) -> list[str]:
    """Return the names of the entries in a folder, none if there is no such folder."""
    try:
        return sorted(path.rsplit("/", 1)[-1] for path in fs.ls(folder, detail=False))
    except FileNotFoundError:
        return []


def landed_months(fs: AbstractFileSystem, dataset: str, table: str) -> list[str]:
    """Return the months of a table that have a committed load, in order."""
    source = dataset.rsplit("/", 1)[-1]
    schema = re.compile(rf"{source}_{checked_name(table)}_(\d{{4}})_(\d{{2}})")
    markers = (_MARKER.fullmatch(name) for name in names_in(fs, f"{dataset}/_dlt_loads"))
    found = (schema.fullmatch(marker["schema"]) for marker in markers if marker)
    return sorted({f"{match[1]}-{match[2]}" for match in found if match})


def _files_by_load(folder: str, names: list[str], kind: re.Pattern[str]) -> dict[str, list[str]]:
    loads: dict[str, list[str]] = {}
    for name in names:
        if match := kind.fullmatch(name):
            loads.setdefault(match[1], []).append(f"{folder}/{name}")
    return loads


def _joined(*by_load: dict[str, list[str]]) -> dict[str, list[str]]:
    load_ids = dict.fromkeys(load_id for files in by_load for load_id in files)
    return {i: [path for files in by_load for path in files.get(i, [])] for i in load_ids}


def months_with_files(fs: AbstractFileSystem, dataset: str, table: str) -> list[str]:
    """Return the months of a table that have a folder or a committed load, in order."""
    folders = (f"{dataset}/{name}" for name in (table, quarantine_table(table)))
    found = (_MONTH_FOLDER.fullmatch(name) for folder in folders for name in names_in(fs, folder))
    return sorted({match[1] for match in found if match} | {*landed_months(fs, dataset, table)})


@dataclass(frozen=True)
class MonthFolder:
    """The place of one month: `dataset` is the path of its source's folder."""

    fs: AbstractFileSystem
    dataset: str
    source: str
    table: str
    month: str

    def __post_init__(self) -> None:
        """Refuse names that would lead out of the folder or into another month's."""
        checked_name(self.source)
        checked_name(self.table)
        checked_month(self.month)
        if (excess := len(self.schema_name) - InvalidSchemaName.MAXIMUM_SCHEMA_NAME_LENGTH) > 0:
            # dlt would cut the schema's name, and so the marker's, which would then not be found.
            raise ValueError(
                f"the names of {self.source}/{self.table} are together {excess} characters too long"
            )

    def __str__(self) -> str:
        """Name the month as errors do."""
        return f"{self.source}/{self.table} {self.month}"

    @property
    def path(self) -> str:
        """The folder of the month's parquet files."""
        return f"{self.dataset}/{self.table}/month={self.month}"

    @property
    def schema_name(self) -> str:
        """The dlt pipeline and schema name of the month, which its markers begin with."""
        return f"{self.source}_{self.table}_{self.month.replace('-', '_')}"

    def make_dataset(self) -> None:
        """Make the source's folder as dlt does, also where another run is about to or was killed.

        dlt fails if the folder is there and its own file in it is not, or is cut off.
        """
        init_file = f"{self.dataset}/{INIT_FILE_NAME}"
        if self._read_json(init_file) is None:
            self.fs.makedirs(self.dataset, exist_ok=True)
            versions = dict.fromkeys(("initial_version", "current_version"), CURRENT_VERSION)
            self.fs.write_text(init_file, json.dumps(versions))

    def marker(self, load_id: str) -> str:
        """Return the path of the file whose presence commits the load."""
        return f"{self.dataset}/_dlt_loads/{self.schema_name}__{load_id}.jsonl"

    def committed_loads(self) -> list[str]:
        """Return the load ids that have a marker, newest first."""
        found = map(_MARKER.fullmatch, names_in(self.fs, f"{self.dataset}/_dlt_loads"))
        ids = [m["load_id"] for m in found if m and m["schema"] == self.schema_name]
        return sorted(ids, key=float, reverse=True)

    @property
    def quarantine_path(self) -> str:
        """The folder of the rows that the month's loads refused; most tables have none."""
        return f"{self.dataset}/{quarantine_table(self.table)}/month={self.month}"

    def files_by_load(self) -> dict[str, list[str]]:
        """Return every load id that has files in the folder, committed or not, with their paths."""
        return _files_by_load(self.path, names_in(self.fs, self.path), _DATA_FILE)

    def quarantine_files_by_load(self) -> dict[str, list[str]]:
        """Return the same of the quarantined rows, which are of the load but are not read."""
        names = names_in(self.fs, self.quarantine_path)
        return _files_by_load(self.quarantine_path, names, _DATA_FILE)

    def data_files_by_load(self) -> dict[str, list[str]]:
        """Return the same of both: every file that has rows."""
        return _joined(self.files_by_load(), self.quarantine_files_by_load())

    def all_files_by_load(self) -> dict[str, list[str]]:
        """Return every file of every load: its data, what it quarantined, and its record.

        The record comes last: as long as it is there, it says which of the others are missing.
        """
        names = names_in(self.fs, self.path)
        own, records = (_files_by_load(self.path, names, kind) for kind in (_DATA_FILE, _RECORD))
        return _joined(own, self.quarantine_files_by_load(), records)

    def folder_of(self, table: str) -> str:
        """Return the folder of the month's files of a dlt table, its own or its quarantine."""
        return self.quarantine_path if table == quarantine_table(self.table) else self.path

    def table_of(self, path: str) -> str:
        """Return the dlt table that a data file of the month belongs to."""
        is_quarantined = path.startswith(f"{self.quarantine_path}/")
        return quarantine_table(self.table) if is_quarantined else self.table

    def record(self, load_id: str) -> str:
        """Return the path of what was recorded of the load; see `load_record`.

        No reader of parquet takes a name that begins with `_` for data.
        """
        return f"{self.path}/_{load_id}.json"

    def files_of_load(self, load_id: str) -> list[str]:
        """Return the paths of one load, its marker first: without it the load is not committed."""
        markers = [self.marker(load_id)] if load_id in self.committed_loads() else []
        return markers + self.all_files_by_load().get(load_id, [])

    def stale_schema_files(self, kept_loads: list[str]) -> list[str]:
        """Return the month's dlt schema files that no kept load uses.

        Loads with the same schema share its file, so it goes only when no kept load's marker
        states its hash, and none goes while a kept load's marker cannot be read. Runs at once may
        each write a file of the same schema, of which the newest stays. One that is newer than
        every kept load stays: a run that is still going may have written it.
        """
        folder = f"{self.dataset}/_dlt_version"
        newest = max(map(float, kept_loads))
        used = {self._schema_hash(load_id) for load_id in kept_loads}
        if None in used:
            return []
        files = sorted(self._schema_files(), key=lambda match: float(match["written"]))
        kept = {match["hash"]: match for match in files if match["hash"] in used}
        return [
            f"{folder}/{match[0]}"
            for match in files
            if match not in kept.values() and float(match["written"]) < newest
        ]

    def delete_cut_off_schema_files(self, version_hash: str) -> None:
        """Delete the files of a schema that a run was killed in, or is about to write again.

        dlt fails on one that it cannot read, and writes the schema anew where there is none.
        """
        for match in self._schema_files():
            path = f"{self.dataset}/_dlt_version/{match[0]}"
            if match["hash"] == _hex(version_hash) and self._read_json(path) is None:
                with suppress(FileNotFoundError):
                    self.fs.rm_file(path)

    def _schema_files(self) -> Iterator[re.Match[str]]:
        found = map(_SCHEMA_FILE.fullmatch, names_in(self.fs, f"{self.dataset}/_dlt_version"))
        return (match for match in found if match and match["schema"] == self.schema_name)

    def _schema_hash(self, load_id: str) -> str | None:
        """Return the hash that a marker states, or None if it is gone by now or was cut off."""
        marker = self._read_json(self.marker(load_id))
        return _hex(marker["schema_version_hash"]) if marker else None

    def _read_json(self, path: str) -> dict[str, Any] | None:
        """Return what dlt wrote to the file, or None if it is gone or was cut off."""
        try:
            return json.loads(self.fs.read_text(path))
        except (FileNotFoundError, json.JSONDecodeError):
            return None


def _hex(version_hash: str) -> str:
    """Return the hash of a schema as dlt writes it in file names."""
    return base64.b64decode(version_hash).hex()
