"""A load's record says what was committed, comes before its marker, and goes with the load."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import (
    LoadRecord,
    RecordedFile,
    read_record,
    recorded_file,
    write_record,
)
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests import json_lines
from pipelines_project_tests.json_lines import jsonl, land_lines, write_lines
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    write_load,
)

NAMES = ("demo", "events", MONTH)
RECORD = LoadRecord("1.5", "a hash", [], {"https://example.com/": '"an ETag"'})


@pytest.fixture(params=["local disk", "memory"])
def zone(request: pytest.FixtureRequest, tmp_path: Path) -> LandingZone:
    """An empty landing zone, on the disk and in a store without one."""
    if request.param == "memory":
        return LandingZone(url=f"memory://{tmp_path}")
    return LandingZone(url=str(tmp_path / "landing"))


def _orphan(place: LandedMonth, load_id: str) -> None:
    write_record(place, replace(RECORD, load_id=load_id))


def test_a_load_is_recorded_as_it_lies_in_storage(zone: LandingZone) -> None:
    load_id = land(place_of(zone), [{"id": 1}, {"id": 2}])["load_id"]

    place = place_of(zone)
    record = read_record(place, load_id)
    assert record
    [path] = place.files_by_load()[load_id]
    [file] = record.files
    content: Any = zone.fs.cat_file(path)
    assert (f"{place.path}/{file.name}", file.table, file.rows) == (path, "events", 2)
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (record.load_id, record.fetched) == (load_id, {})
    marker = json.loads(zone.fs.read_text(place.marker(load_id)))
    assert record.schema_version == marker["schema_version_hash"]


def test_the_quarantined_lines_of_a_load_are_recorded_too(
    landing: LandingZone, tmp_path: Path
) -> None:
    write_lines(tmp_path, jsonl({"id": 1}, {"id": 2}) + "{\n")
    load_id = land_lines(landing, tmp_path, on_bad_line="quarantine").metadata["load_id"]

    place = landing.month("local_jsonl", "events", json_lines.MONTH)
    record = read_record(place, load_id)
    assert record
    assert {file.table: file.rows for file in record.files} == {"events": 2, "events_quarantine": 1}
    [*data, path] = place.all_files_by_load()[load_id]
    assert {Path(file).name for file in data} == {file.name for file in record.files}
    assert path == place.record(load_id)


def test_a_record_is_there_before_its_load_is_committed(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = land(place_of(landing), [{"id": 1}])["load_id"]

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Landing, "_load", die)
        with pytest.raises(KeyboardInterrupt):
            land(place_of(landing), [{"id": 2}])

    place = place_of(landing)
    [orphan] = {*place.all_files_by_load()} - {current}
    assert read_record(place, orphan)
    assert (place.listing().committed, [*place.files_by_load()]) == ([current], [current])
    assert [row["id"] for row in rows_of(landing, place_of(zone).current_files())] == [1]
    assert landing.month(*NAMES).stale_files() == []

    land(place, [{"id": 3}])
    assert place.record(orphan) in landing.month(*NAMES).stale_files()


def test_a_record_without_files_is_stale_once_it_is_older_than_the_current_load(
    zone: LandingZone,
) -> None:
    place = place_of(zone)
    older, current, newer = ids_ago(30, 20, 10)
    write_load(place, current)
    _orphan(place, older)
    _orphan(place, newer)
    zone.fs.touch(f"{place.record(older)}.new")

    stale = zone.month(*NAMES).stale_files()
    assert sorted(stale) == [place.record(older), f"{place.record(older)}.new"]
    zone.delete(stale)
    assert {*place.all_files_by_load()} == {current, newer}


def test_of_a_load_the_record_goes_after_the_data_and_before_the_marker(zone: LandingZone) -> None:
    place = place_of(zone)
    old, current = ids_ago(20, 10)
    write_load(place, old, [[{"id": 1}], [{"id": 2}]])
    write_load(place, current)
    _orphan(place, old)

    stale = zone.month(*NAMES).stale_files()
    assert stale[2:] == [place.record(old), place.marker(old)]
    assert place.files_of_load(old) == [place.marker(old), *stale[:3]]


def test_of_the_superseded_loads_only_whole_ones_count_as_kept(zone: LandingZone) -> None:
    place = place_of(zone)
    unrecorded, whole, cut, emptied, current = ids_ago(50, 40, 30, 20, 10)
    for load_id in (unrecorded, whole, cut, emptied, current):
        write_load(place, load_id, [[{"id": 1}], [{"id": 2}]])
        if load_id != unrecorded:
            names = [f"{load_id}.part{number}.parquet" for number in (0, 1)]
            files = [RecordedFile("events", name, 1, 1, "") for name in names]
            write_record(place, LoadRecord(load_id, "a hash", files))
    zone.delete(place.files_by_load()[emptied])
    zone.delete(place.files_by_load()[cut][:1])

    def kept(keep_loads: int) -> set[str]:
        stale = {*zone.stale_files(*NAMES, keep_loads=keep_loads)}
        return {i for i in place.listing().committed if place.marker(i) not in stale}

    assert kept(1) == {current, whole}
    # Of a load without a record nobody knows better.
    assert kept(2) == kept(3) == {current, whole, unrecorded}


def test_what_looks_for_parquet_does_not_find_records(landing: LandingZone) -> None:
    land(place_of(landing), [{"id": 1}])

    found = {path.name for path in Path(landing.url).rglob("*.parquet")}
    load = place_of(zone).current_files()
    assert load
    assert found == {Path(path).name for path in load.files}
    assert pq.read_table(place_of(landing).path)["id"].to_pylist() == [1]


def test_a_record_reads_as_it_was_written(zone: LandingZone) -> None:
    place = place_of(zone)
    write_record(place, RECORD)
    assert read_record(place, "1.5") == RECORD

    write_record(place, replace(RECORD, schema_version="another"))
    assert read_record(place, "1.5") == replace(RECORD, schema_version="another")
    assert place.all_files_by_load() == {"1.5": [place.record("1.5")]}


@pytest.mark.parametrize("content", [None, "", '{"load_id": "1.5", "sch', "{}", "[]", "\x00"])
def test_a_record_that_is_missing_or_cut_off_is_none(
    landing: LandingZone, content: str | None
) -> None:
    place = place_of(landing)
    landing.fs.makedirs(place.path)
    if content is not None:
        landing.fs.write_text(place.record("1.5"), content)

    assert read_record(place, "1.5") is None


def test_a_record_whose_replacement_fails_stays_whole(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    write_record(place, RECORD)

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(landing.fs, "mv", full)
    with pytest.raises(OSError, match="no space"):
        write_record(place, replace(RECORD, schema_version="another"))

    assert read_record(place, "1.5") == RECORD


def test_rows_bytes_and_hash_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"id": range(1000)}), path, row_group_size=100)

    file = recorded_file("events", "1.5.part.parquet", path)

    assert (file.rows, file.bytes) == (1000, path.stat().st_size)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
