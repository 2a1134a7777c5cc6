"""Months landed for tests: by dlt as the project lands them, or file by file in dlt's order."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.schema.typing import TColumnSchema

from pipelines_project.landing.landed_month import Load
from pipelines_project.landing.zone import LandingZone

MONTH = "2023-01"


def place_of(
    zone: LandingZone, month: str = MONTH, table: str = "events", source: str = "demo"
) -> MonthFolder:
    return zone.month_folder(source, table, month)


def land(
    place: MonthFolder,
    zone: LandingZone,
    rows: Iterable[Any],
    columns: Mapping[str, TColumnSchema] | None = None,
    verify: Callable[[list[str]], dict[str, Any]] = lambda _: {},
) -> dict[str, Any]:
    """Land the rows as the month's new load, by a real dlt run, and return its metadata."""

    @dlt.resource(name=place.table, columns=dict(columns or {}))
    def resource() -> Iterable[Any]:
        yield from rows

    return Landing(zone, place, lambda _: resource(), verify).land()


def write_load(
    place: MonthFolder,
    load_id: str,
    parts: Sequence[pa.Table | Sequence[Mapping[str, Any]]] = ([{"id": 1}],),
    schema: str = "a schema",
    committed: bool = True,
) -> None:
    """Write a load as dlt does: one file a part, the schema's file if it is new, the marker."""
    fs = place.fs
    for folder in (place.path, f"{place.dataset}/_dlt_loads", f"{place.dataset}/_dlt_version"):
        fs.makedirs(folder, exist_ok=True)
    for number, part in enumerate(parts):
        table = part if isinstance(part, pa.Table) else pa.Table.from_pylist([*part])
        with fs.open(f"{place.path}/{load_id}.part{number}.parquet", "wb") as file:
            pq.write_table(table, file)
    digest = hashlib.sha256(schema.encode()).digest()
    versions = f"{place.dataset}/_dlt_version/{place.schema_name}__"
    if not fs.glob(f"{versions}*__{digest.hex()}.jsonl"):
        fs.write_text(f"{versions}{float(load_id) + 0.1}__{digest.hex()}.jsonl", "{}")
    if committed:
        commit_load(place, load_id, schema)


def commit_load(place: MonthFolder, load_id: str, schema: str = "a schema") -> None:
    """Write the marker of a load as dlt does."""
    digest = hashlib.sha256(schema.encode()).digest()
    stated = {"schema_version_hash": base64.b64encode(digest).decode()}
    place.fs.write_text(place.marker(load_id), json.dumps(stated))


def ids_ago(*seconds: float) -> list[str]:
    """Return load ids that lie so many seconds in the past."""
    now = time.time()
    return [str(now - ago) for ago in seconds]


def rows_of(zone: LandingZone, load: Load | None) -> list[dict[str, Any]]:
    """Return the rows of a load as a reader gets them, ordered by their text."""
    assert load is not None
    with duckdb.connect() as connection:
        zone.register(connection)
        query = (
            "select * from read_parquet($files, union_by_name = true, hive_partitioning = false)"
        )
        answer = connection.execute(query, {"files": load.files}).to_arrow_table()
    return sorted(answer.to_pylist(), key=str)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every path below a folder with its content, None for a folder or a link."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else None
        for path in sorted(folder.rglob("*"))
    }
