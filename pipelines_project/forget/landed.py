"""Removing a person's rows from one landed month: its current load, kept ones, and leftovers.

A current load is never changed: the month is landed anew without the rows. A kept load is changed
in place, so that its other rows can be restored: files without the rows are written beside the old
ones, then the record is replaced, which says which of them are the load's, then the old ones go.
Whatever a killed run leaves is mended by the next one.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.compute
import pyarrow.parquet as pq

from pipelines_project.forget.rows import find, telling_records
from pipelines_project.forget.subject import Subject
from pipelines_project.landing.destination import COMPRESSION
from pipelines_project.landing.land_month import Landing
from pipelines_project.landing.month_folder import MonthFolder
from pipelines_project.landing.record import (
    LoadRecord,
    RecordedFile,
    read_record,
    recorded_file,
    recorded_paths,
    write_record,
)
from pipelines_project.landing.restore import differences
from pipelines_project.landing.rows import Keep, has_rows, landed_rows, row_groups
from pipelines_project.landing.zone import LandingError, LandingZone
from pipelines_project.temporary import working_folder

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute


def forget(zone: LandingZone, place: MonthFolder, subject: Subject) -> dict[str, Any] | None:
    """Remove the person's rows from the month.

    Returns:
        The metadata of the new load if the month was landed anew, or else None.

    Raises:
        LandingError: the current load cannot be read, or is another one by now; the month is as
            it was.
    """
    _delete_unrecorded_files(zone, place)
    landed = _forget_current(zone, place, subject)
    for load_id, files in find(place, subject).items():
        _forget_superseded(zone, place, subject, load_id, files)
    for record in [*telling_records(place, subject)]:
        _forget_fetched(zone, place, subject, record)
    _delete_unrecorded_files(zone, place)
    if committed := place.committed_loads():
        zone.delete(place.stale_schema_files(committed))
    return landed


def _others(place: MonthFolder, subject: Subject) -> Keep:
    """Return what keeps the rows that are not the person's."""
    is_theirs = subject.among(place.table)
    return lambda table, rows: rows.filter(pc.invert(is_theirs(table, rows)))


def _delete_unrecorded_files(zone: LandingZone, place: MonthFolder) -> None:
    """Delete what a killed run left: a load with a record has no other files than it names."""
    committed = place.committed_loads()
    for load_id, files in place.all_files_by_load().items():
        if load_id in committed and (record := read_record(place, load_id)):
            own = {*recorded_paths(place, record), place.record(load_id)}
            zone.delete([path for path in files if path not in own])
        elif _is_superseded(load_id, committed):
            zone.delete([path for path in files if path.endswith(".new")])


def _forget_current(
    zone: LandingZone, place: MonthFolder, subject: Subject
) -> dict[str, Any] | None:
    """Land the month anew if its current load has the rows, or a newer load without a marker.

    Such a load, of a run that was killed, is older than the current one then and can be deleted.
    """
    committed = place.committed_loads()
    found = find(place, subject)
    newer = [i for i in found if committed and float(i) > float(committed[0])]
    if not committed or not ({committed[0]} & {*found} or any(_rows(found[i]) for i in newer)):
        return None
    current, held = committed[0], found.get(committed[0], {})
    if None in held.values():
        raise LandingError(f"{place}: the current load {current} cannot be read: {[*held]}")
    landed = _land_others(zone, place, subject, current)
    if "superseded" not in landed:
        _delete_load(zone, place, current)
    return {**landed, "rows_forgotten": _rows(held)}


def _rows(held: dict[str, int | None]) -> int:
    return sum(rows or 0 for rows in held.values())


def _land_others(
    zone: LandingZone, place: MonthFolder, subject: Subject, current: str
) -> dict[str, Any]:
    """Land the rows of the current load that are not the person's as a new load."""
    files = {path: place.table_of(path) for path in place.data_files_by_load().get(current, [])}
    others, expected = _others(place, subject), Counter({place.table: 0})
    for path, table in files.items():
        rows = (len(others(table, group)) for group in row_groups(place.fs, path))
        expected[table] += sum(rows)
    verify_rows = has_rows(place, expected)

    def verify(new: list[str]) -> dict[str, Any]:
        # What a run has landed meanwhile is newer than these rows.
        if place.committed_loads()[0] != current:
            raise LandingError(f"{place} was landed meanwhile: run this again")
        return verify_rows(new)

    return Landing(zone, place, lambda _: landed_rows(place, files, others), verify).land()


def _forget_superseded(
    zone: LandingZone,
    place: MonthFolder,
    subject: Subject,
    load_id: str,
    held: dict[str, int | None],
) -> None:
    """Remove the rows from a load that is not current, or the load if it cannot be restored."""
    committed = place.committed_loads()
    if not _is_superseded(load_id, committed):
        return
    record = read_record(place, load_id) if load_id in committed else None
    if record is None or any(differences(place, record)):
        _delete_load(zone, place, load_id)
        return
    with working_folder() as folder:
        files = [
            _rewritten(place, path, subject, Path(folder)) if path in held else file
            for path, file in recorded_paths(place, record).items()
        ]
    write_record(place, replace(record, files=files))
    zone.delete([*held])


def _rewritten(place: MonthFolder, path: str, subject: Subject, folder: Path) -> RecordedFile:
    """Write the file's other rows under a new name of the same load."""
    table, others = place.table_of(path), _others(place, subject)
    load_id = ".".join(Path(path).name.split(".")[:2])
    local = folder / f"{load_id}.{uuid4().hex[:10]}.parquet"
    groups = row_groups(place.fs, path)
    first = others(table, next(groups))
    with pq.ParquetWriter(local, first.schema, compression=COMPRESSION) as writer:
        writer.write_table(first)
        for rows in groups:
            writer.write_table(others(table, rows))
    place.fs.put_file(str(local), f"{place.folder_of(table)}/{local.name}")
    return recorded_file(table, local.name, local)


def _forget_fetched(
    zone: LandingZone, place: MonthFolder, subject: Subject, record: LoadRecord
) -> None:
    """Remove what was fetched of the person from a record, or a killed run's load with it."""
    committed = place.committed_loads()
    if record.load_id in committed:
        told = {k: v for k, v in record.fetched.items() if not subject.is_in(f"{k} {v}")}
        write_record(place, replace(record, fetched=told))
    elif _is_superseded(record.load_id, committed):
        _delete_load(zone, place, record.load_id)


def _is_superseded(load_id: str, committed: list[str]) -> bool:
    return bool(committed) and float(load_id) < float(committed[0])


def _delete_load(zone: LandingZone, place: MonthFolder, load_id: str) -> None:
    """Delete a load that is older than the current one, in the order of `stale_files`."""
    zone.delete(place.all_files_by_load().get(load_id, []))
    zone.delete([place.marker(load_id)])
