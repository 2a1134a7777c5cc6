"""A superseded load that is kept: whether it is still what was committed, and landing it again."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq

from pipelines_project.landing.land_month import Landing
from pipelines_project.landing.month_folder import MonthFolder
from pipelines_project.landing.record import LoadRecord, RecordedFile, read_record, recorded_paths
from pipelines_project.landing.rows import has_rows, landed_rows
from pipelines_project.landing.zone import LandingError, LandingZone


def restore(zone: LandingZone, place: MonthFolder, load_id: str | None) -> dict[str, Any]:
    """Land the rows of a kept load as the month's new load, and return its metadata.

    Raises:
        LandingError: there is no such kept load, or it is not what was committed; it names the
            load and its files. Or a run that began later has landed the month meanwhile.
    """
    record = _unchanged(place, load_id)
    paths = recorded_paths(place, record)
    tables = {place.table, *(file.table for file in record.files)}
    verify = has_rows(place, {table: record.rows_of(table) for table in tables})

    def verify_all(files: list[str]) -> dict[str, Any]:
        # Rows may have been removed from the load, for good, since it was compared.
        if read_record(place, record.load_id) != record:
            raise LandingError(f"{place}: load {record.load_id} changed while it was read")
        return verify(files)

    files = {path: file.table for path, file in paths.items()}
    landed = Landing(zone, place, lambda _: landed_rows(place, files), verify_all).land()
    if "superseded" in landed:
        raise LandingError(
            f"{place}: load {landed['superseded_by']} was landed while {record.load_id} was "
            "restored, and is the current one"
        )
    return {**landed, "restored_from": record.load_id}


def _unchanged(place: MonthFolder, load_id: str | None) -> LoadRecord:
    """Return the record of a kept load, having compared all its files with it."""
    committed = place.committed_loads()
    current, kept = committed[:1], committed[1:]
    if load_id is None or load_id not in kept:
        reason = "is the current one already" if [load_id] == current else "is not kept"
        what = "set load_id" if load_id is None else f"load {load_id[:80]!r} {reason}"
        raise LandingError("\n".join([f"{place}: {what}. Kept are:", *_described(place, kept)]))
    record = read_record(place, load_id)
    if record is None:
        raise LandingError(
            f"{place}: of load {load_id} there is no record {place.record(load_id)}, so nothing "
            "tells whether it is whole: it cannot be restored"
        )
    if different := [*differences(place, record)]:
        raise LandingError(
            f"{place}: load {load_id} is not what was committed, and cannot be restored: "
            + "; ".join(different)
        )
    return record


def _described(place: MonthFolder, load_ids: list[str]) -> list[str]:
    """Return a line for each load: its id, when it was landed, and its rows."""
    lines = []
    for load_id in load_ids:
        landed = datetime.fromtimestamp(float(load_id), UTC).isoformat(timespec="seconds")
        record = read_record(place, load_id)
        rows = (
            f"{record.rows_of(place.table)} rows"
            if record
            else "without a record: it cannot be restored"
        )
        lines.append(f"- {load_id}, landed at {landed}, {rows}")
    return lines or ["- none"]


def differences(place: MonthFolder, record: LoadRecord) -> Iterator[str]:
    """Yield how each of the load's files differs from what was recorded."""
    recorded = recorded_paths(place, record)
    found = place.data_files_by_load().get(record.load_id, [])
    for path in sorted({*recorded, *found}):
        if path not in found:
            yield f"{path} is missing"
        elif path not in recorded:
            yield f"{path} was not there"
        elif difference := _difference(place, path, recorded[path]):
            yield f"{path} {difference}"


def _difference(place: MonthFolder, path: str, recorded: RecordedFile) -> str:
    with place.fs.open(path, "rb") as opened:
        file: Any = opened
        size = file.seek(0, 2)
        file.seek(0)
        if size != recorded.bytes:
            return f"has {size} bytes, not {recorded.bytes}"
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != recorded.sha256:
            return f"has the sha256 {digest}, not {recorded.sha256}"
        rows = pq.ParquetFile(file).metadata.num_rows
        return "" if rows == recorded.rows else f"has {rows} rows, not {recorded.rows}"
