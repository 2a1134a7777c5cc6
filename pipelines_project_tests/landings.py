"""Months landed for tests: by dlt as the project lands them, or file by file in its order."""

import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.schema.typing import TColumnSchema
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.new_load import Verify
from pipelines_project.landing.record import LoadRecord, recorded_file, sealed
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.storage import put_file
from pipelines_project.landing.zone import LandingZone
from pipelines_project.names import quarantine_table

MONTH = "2023-01"


def place_of(
    zone: LandingZone, month: str = MONTH, table: str = "events", source: str = "demo"
) -> LandedMonth:
    return zone.month(source, table, month)


def land(
    place: LandedMonth,
    rows: Iterable[Any],
    columns: Mapping[str, TColumnSchema] | None = None,
    verify: Verify = accept,
    *,
    shows_rows: bool = False,
) -> Landed:
    """Land the rows as the month's new load, by a real dlt run."""

    @dlt.resource(name=place.table, columns=dict(columns or {}))
    def resource() -> Iterable[Any]:
        yield from rows

    return land_month(place, lambda *_: resource(), verify, shows_rows=shows_rows)


def write_load(
    place: LandedMonth,
    load_id: str,
    parts: Sequence[pa.Table | Sequence[Mapping[str, Any]]] = ([{"id": 1}],),
    committed: bool = True,
) -> LoadRecord:
    """Write a load as landing does: one file a part, then the record, which is returned."""
    files, schema = [], dict[str, str]()
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate(parts):
            table = part if isinstance(part, pa.Table) else pa.Table.from_pylist([*part])
            name = f"{load_id}.part{number}.parquet"
            pq.write_table(table, Path(folder, name))
            put_file(place.fs, Path(folder, name), f"{place.path}/{name}")
            files.append(recorded_file(place.table, name, len(table), Path(folder, name)))
            schema |= {field.name: str(field.type) for field in table.schema}
    record = LoadRecord(load_id, schema, files)
    if committed:
        place.commit(record)
    return record


def write_quarantined(
    place: LandedMonth,
    load_id: str,
    rows: Sequence[Mapping[str, Any]],
    refused: Sequence[Mapping[str, Any]],
) -> LoadRecord:
    """Write a load of rows and of rows that it refused, as landing does."""
    record = write_load(place, load_id, [rows], committed=False)
    name, table = f"{load_id}.refused.parquet", quarantine_table(place.table)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, name)
        pq.write_table(pa.Table.from_pylist([*refused]), local)
        put_file(place.fs, local, f"{place.quarantine_path}/{name}")
        record.files.append(recorded_file(table, name, len(refused), local))
    place.commit(record)
    return record


def change_record(place: LandedMonth, load_id: str, **changes: Any) -> None:
    """Write a load's record anew with other members, as another version or a mistake would."""
    path = place.record_path(load_id)
    stated = json.loads(place.fs.cat_file(path))
    del stated["sha256"]
    place.fs.pipe_file(path, sealed(json.dumps({**stated, **changes}).encode()))


def ids_ago(*seconds: float) -> list[str]:
    """Return load ids that lie so many seconds in the past."""
    now = time.time()
    return [str(now - ago) for ago in seconds]


def rows_of(zone: LandingZone, load: Load | None) -> list[dict[str, Any]]:
    """Return the rows of a load as a reader gets them, ordered by their text."""
    assert load is not None
    fs: Any = zone.fs
    with duckdb.connect() as connection:
        files = load.files
        if not isinstance(fs, LocalFileSystem):
            connection.register_filesystem(fs)
            files = [fs.unstrip_protocol(path) for path in files]
        query = (
            "select * from read_parquet($files, union_by_name = true, hive_partitioning = false)"
        )
        answer = connection.execute(query, {"files": files}).to_arrow_table()
    return sorted(answer.to_pylist(), key=str)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every path below a folder with its content, None for a folder or a link."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else None
        for path in sorted(folder.rglob("*"))
    }
