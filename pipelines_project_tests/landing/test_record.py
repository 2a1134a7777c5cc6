"""A load's record says what was committed, is written whole or not at all, and comes last."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import (
    FORMAT,
    LoadRecord,
    read_record,
    recorded_file,
    sealed,
    write_record,
)
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests import json_lines
from pipelines_project_tests.json_lines import jsonl, land_lines, write_lines
from pipelines_project_tests.landings import (
    change_record,
    ids_ago,
    land,
    place_of,
    rows_of,
    tree,
    write_load,
)

RECORD = LoadRecord("1.5", {"id": "bigint"}, [], {"https://example.com/": '"an ETag"'})


def test_a_load_is_recorded_as_it_lies_in_storage(zone: LandingZone) -> None:
    place = place_of(zone)
    landed = land(place, [{"id": 1}, {"id": 2}])

    record = read_record(zone.fs, place.record_path(landed.load_id))
    [file] = record.files
    path = f"{place.path}/{file.name}"
    content = zone.fs.cat_file(path)
    assert place.files_of_load(landed.load_id) == [place.record_path(landed.load_id), path]
    assert (file.table, file.rows) == ("events", 2)
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (record.load_id, record.fetched, record.format) == (landed.load_id, {}, FORMAT)
    assert record.schema == landed.schema


def test_the_quarantined_lines_of_a_load_are_recorded_too(
    landing: LandingZone, tmp_path: Path
) -> None:
    write_lines(tmp_path, jsonl({"id": 1}, {"id": 2}) + "{\n")
    load_id = land_lines(landing, tmp_path, on_bad_line="quarantine").load_id

    place = landing.month("local_jsonl", "events", json_lines.MONTH)
    record = read_record(landing.fs, place.record_path(load_id))
    assert {file.table: file.rows for file in record.files} == {"events": 2, "events_quarantine": 1}
    assert {*place.files_of_load(load_id)} == {place.record_path(load_id), *place.paths(record)}


@pytest.mark.stack
def test_a_load_whose_run_dies_before_its_record_is_stale_and_not_read(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    current = land(place, [{"id": 1}]).load_id

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LandedMonth, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            land(place, [{"id": 2}])

    [orphan] = {*place.listing().files} - {current}
    assert place.listing().committed == [current]
    assert [row["id"] for row in rows_of(landing, place.current_files())] == [1]
    # It may be being committed.
    assert place.stale_files() == []

    newest = land(place, [{"id": 3}]).load_id
    assert {*place.files_of_load(orphan)} < {*place.stale_files()}
    place.delete(place.stale_files())
    assert [*place.listing().files] == [newest]


def test_what_looks_for_parquet_does_not_find_records(landing: LandingZone) -> None:
    place = place_of(landing)
    land(place, [{"id": 1}])

    found = {path.name for path in Path(landing.url).rglob("*.parquet")}
    load = place.current_files()
    assert load
    assert found == {Path(path).name for path in load.files}
    assert pq.read_table(place.path)["id"].to_pylist() == [1]


def test_nothing_but_data_and_records_is_in_the_landing_zone(landing: LandingZone) -> None:
    place = place_of(landing)
    load_id = land(place, [{"id": 1}]).load_id

    month = Path(place.path).relative_to(landing.url)
    files = {path for path, content in tree(Path(landing.url)).items() if content is not None}
    own = {str(month / Path(path).name) for path in place.files_of_load(load_id)}
    assert files == own
    assert len(files) == 2


def test_a_record_reads_as_it_was_written(zone: LandingZone) -> None:
    place = place_of(zone)
    zone.fs.makedirs(place.path, exist_ok=True)
    path = place.record_path("1.5")

    for record in (RECORD, replace(RECORD, schema={}), write_load(place, "2.5")):
        write_record(zone.fs, path, record)
        assert read_record(zone.fs, path) == record
    assert place.listing().files["1.5"].keys() == {path}


def test_a_record_that_is_missing_is_told_from_one_that_is_damaged(zone: LandingZone) -> None:
    with pytest.raises(FileNotFoundError):
        read_record(zone.fs, place_of(zone).record_path("1.5"))


def test_a_record_of_which_any_bit_has_changed_is_damaged(landing: LandingZone) -> None:
    place = place_of(landing)
    write_load(place, "1.5")
    path = Path(place.record_path("1.5"))
    whole = path.read_bytes()

    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DamagedLoadError, match="is damaged"):
            read_record(landing.fs, str(path))


@pytest.mark.parametrize("content", ["{}", '{"format":1}', '{"format":"1"}', '{"load_id":"1.5"}'])
def test_a_sealed_object_that_is_no_record_is_damaged(zone: LandingZone, content: str) -> None:
    place = place_of(zone)
    write_load(place, "1.5")
    zone.fs.pipe_file(place.record_path("1.5"), sealed(content.encode()))

    with pytest.raises(DamagedLoadError, match=r"_1\.5\.json is damaged"):
        place.current_files()


@pytest.mark.parametrize(
    "content",
    ["", '{"load_id": "1.5", "sch', "{}", "[]", "null", "\x00", '{"format": 1}', '{"format": "1"}'],
)
def test_a_record_that_is_cut_off_or_is_none_is_damaged_and_says_where(
    zone: LandingZone, content: str
) -> None:
    place = place_of(zone)
    write_load(place, "1.5")
    zone.fs.pipe_file(place.record_path("1.5"), content.encode())

    for read in (
        lambda: read_record(zone.fs, place.record_path("1.5")),
        place.current_files,
        place.stale_files,
    ):
        with pytest.raises(DamagedLoadError) as error:
            read()
        assert f"record {place.record_path('1.5')} is damaged" in str(error.value)


def test_a_record_of_another_format_is_refused_also_by_landing_and_nothing_changes(
    zone: LandingZone,
) -> None:
    place = place_of(zone)
    [current] = ids_ago(10)
    write_load(place, current)
    path = place.record_path(current)
    change_record(place, current, format=FORMAT + 1, files={"of": "another kind"})
    before = place.listing()

    for ask in (place.current_files, place.stale_files, lambda: land(place, [{"id": 2}])):
        with pytest.raises(LandingError) as error:
            ask()
        assert f"{path} has format {FORMAT + 1}" in str(error.value)
        assert not isinstance(error.value, DamagedLoadError)

    assert place.listing() == before


def test_a_record_whose_replacement_fails_stays_whole(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    landing.fs.makedirs(place.path, exist_ok=True)
    write_record(landing.fs, place.record_path("1.5"), RECORD)

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_record(landing.fs, place.record_path("1.5"), replace(RECORD, schema={}))

    assert read_record(landing.fs, place.record_path("1.5")) == RECORD


def test_bytes_and_hash_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"id": range(1000)}), path, row_group_size=100)

    file = recorded_file("events", "1.5.part.parquet", 1000, path)

    assert (file.rows, file.bytes) == (1000, path.stat().st_size)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
