"""A person's rows leave a landed month: its readers see it whole all the time."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.forget import landed as forget_landed
from pipelines_project.forget import rows as subject_rows
from pipelines_project.forget.subject import Subject
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import read_record
from pipelines_project.landing.restore import restore
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests import json_lines
from pipelines_project_tests.json_lines import jsonl, land_lines, landed_lines, write_lines
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    tree,
    write_load,
)

WHO = Subject("who", "them")
THEIRS, OURS = {"id": 1, "who": "them"}, {"id": 2, "who": "us"}


def _ids(zone: LandingZone) -> list[int]:
    return [row["id"] for row in rows_of(zone, place_of(zone).current_files())]


def _forgotten(zone: LandingZone) -> tuple[Landed, int] | None:
    """Forget, and check that nothing is left, of whatever kind."""
    place = place_of(zone)
    landed = forget_landed.forget(place, WHO)
    assert subject_rows.counts(place, WHO) == {}
    named = [path for path, data in tree(Path(place.dataset)).items() if b"them" in (data or b"")]
    assert named == []
    return landed


@pytest.fixture(scope="module")
def landed_thrice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month that was landed three times: only the first load has none of their rows."""
    folder = tmp_path_factory.mktemp("landed_thrice")
    place = place_of(LandingZone(url=str(folder)))
    land(place, [OURS])
    land(place, [THEIRS, OURS])
    land(place, [THEIRS, OURS, {"id": 3, "who": "us"}])
    return folder


Loads = tuple[LandedMonth, str, str, str]


@pytest.fixture
def landed(landed_thrice: Path, landing: LandingZone) -> Loads:
    """A copy of that month, and its loads."""
    shutil.copytree(landed_thrice, landing.url)
    place = place_of(landing)
    current, kept, of_others = place.listing().committed
    return place, of_others, kept, current


@pytest.mark.stack
def test_the_month_is_landed_anew_and_kept_loads_that_hold_them_go_whole(
    landing: LandingZone,
    landed: Loads,
) -> None:
    place, of_others, _, _ = landed
    ours = rows_of(landing, place.current_files())[1:]

    forgotten = _forgotten(landing)

    assert forgotten
    anew, rows_forgotten = forgotten
    assert (anew.rows, rows_forgotten) == (2, 1)
    assert {*place.listing().files} == {anew.load_id, of_others}
    assert place.listing().committed == [anew.load_id, of_others]
    rows = rows_of(landing, place.current_files())
    assert [{**row, "_dlt_load_id": ""} for row in rows] == [
        {**row, "_dlt_load_id": ""} for row in ours
    ]
    restore(place, of_others)
    assert _ids(landing) == [2]


@pytest.mark.stack
def test_a_kept_load_of_others_stays_to_the_byte(landing: LandingZone, landed: Loads) -> None:
    place, of_others, _, _ = landed
    before = {path: Path(path).read_bytes() for path in place.files_of_load(of_others)}

    assert _forgotten(landing)

    assert {path: Path(path).read_bytes() for path in place.files_of_load(of_others)} == before


def test_a_month_without_their_rows_stays_to_the_byte(landing: LandingZone) -> None:
    place = place_of(landing)
    land(place, [OURS])
    land(place, [OURS])
    before = tree(Path(landing.url))

    assert _forgotten(landing) is None

    assert tree(Path(landing.url)) == before


def test_a_month_of_their_rows_alone_is_a_month_without_rows(landing: LandingZone) -> None:
    land(place_of(landing), [THEIRS])

    assert _forgotten(landing)

    assert _ids(landing) == []


@pytest.mark.stack
def test_a_kept_load_that_cannot_be_read_goes_because_it_may_hold_them(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    damaged = land(place, [THEIRS, OURS]).load_id
    file = Path(place.files_of_load(damaged)[1])
    file.write_bytes(file.read_bytes()[:-9])
    half_record = land(place, [OURS]).load_id
    Path(place.record_path(half_record)).write_text("{")
    of_others = land(place, [OURS]).load_id
    current = land(place, [OURS]).load_id

    assert _forgotten(landing) is None

    assert place.listing().committed == [current, of_others]
    assert {*place.listing().files} == {current, of_others}


def test_leftovers_of_killed_runs_go_if_they_are_older_than_the_current_load(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    theirs, cut_off, of_others = ids_ago(30, 20, 10)
    for load_id in (theirs, cut_off):
        write_load(place, load_id, [[THEIRS]], committed=False)
    write_load(place, of_others, [[OURS]], committed=False)
    [path] = place.files_of_load(cut_off)
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    current = land(place, [OURS]).load_id

    assert _forgotten(landing) is None

    assert {*place.listing().files} == {current, of_others}


def test_leftovers_without_their_rows_go_when_the_month_is_landed_anew(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    [of_others] = ids_ago(10)
    write_load(place, of_others, [[OURS]], committed=False)
    land(place, [THEIRS, OURS])

    forgotten = _forgotten(landing)

    assert forgotten
    assert [*place.listing().files] == [forgotten[0].load_id]


@pytest.mark.stack
def test_leftovers_newer_than_the_current_load_go_when_the_month_is_landed_anew(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    land(place, [OURS])
    killed = land(place, [THEIRS]).load_id
    landing.fs.rm_file(place.record_path(killed))

    assert _forgotten(landing)

    assert _ids(landing) == [2]
    assert killed not in place.listing().files


def test_of_a_month_that_was_never_landed_nothing_goes_and_what_there_is_is_counted(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    [load_id] = ids_ago(10)
    write_load(place, load_id, [[THEIRS]], committed=False)

    assert forget_landed.forget(place, WHO) is None

    # A run may be about to commit it.
    assert [*place.listing().files] == [load_id]
    assert subject_rows.counts(place, WHO) == {"loads without a record": 1}
    assert landing.months_with_files("demo", "events") == [MONTH]


def test_a_load_whose_record_tells_of_them_goes_or_is_landed_anew_without_its_facts(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    facts = {"https://example.com/us": "1", "https://example.com/them/2023/01": "2"}
    of_others, told = ids_ago(30, 20)
    write_load(place, of_others, [[OURS]])
    place.commit(replace(write_load(place, told, [[OURS]], committed=False), fetched=facts))
    [current] = ids_ago(10)
    place.commit(replace(write_load(place, current, [[OURS]], committed=False), fetched=facts))
    assert subject_rows.counts(place, WHO) == {"records": 2}

    forgotten = _forgotten(landing)

    assert forgotten
    landed, rows_forgotten = forgotten
    assert (landed.rows, rows_forgotten) == (1, 0)
    assert place.listing().committed == [landed.load_id, of_others]
    load = place.current_files()
    assert load
    assert "https://example.com/them/2023/01" not in load.record.fetched


def test_a_load_whose_record_counts_them_is_landed_anew_without_what_it_says_of_them(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    land(place, [OURS], verify=lambda _: {"rows_by_person": {"us": 1, "them": 0}})
    assert subject_rows.counts(place, WHO) == {"records": 1}

    assert _forgotten(landing)

    load = place.current_files()
    assert load
    assert load.record.details == {}
    assert subject_rows.counts(place, WHO) == {}


def test_a_record_that_was_being_written_goes(landing: LandingZone) -> None:
    place = place_of(landing)
    [killed] = ids_ago(10)
    landing.fs.makedirs(place.path, exist_ok=True)
    landing.fs.pipe_file(f"{place.record_path(killed)}.new", b"cut off, of them")
    land(place, [OURS])

    assert _forgotten(landing) is None

    assert killed not in place.listing().files


def _no_parquet(file: Path, _: Path) -> None:
    file.write_bytes(b"no parquet")


def _half_a_record(_: Path, record: Path) -> None:
    record.write_text(record.read_text()[:50])


@pytest.mark.parametrize("harm", [_no_parquet, _half_a_record])
def test_a_current_load_that_cannot_be_read_is_an_error_and_stays(
    landing: LandingZone, landed: Loads, harm: Callable[[Path, Path], None]
) -> None:
    place, _, _, current = landed
    record, file = map(Path, place.files_of_load(current))
    harm(file, record)
    before = tree(Path(landing.url))

    with pytest.raises(LandingError) as error:
        forget_landed.forget(place, WHO)

    assert str(file if harm is _no_parquet else record) in str(error.value)
    assert "demo/events 2023-01" in str(error.value)
    assert tree(Path(landing.url)) == before
    assert subject_rows.counts(place, WHO)["unreadable files of current load"] == 1


@pytest.mark.stack
def test_quarantined_lines_that_name_them_go_from_every_load(
    landing: LandingZone, tmp_path: Path
) -> None:
    good = jsonl({"id": 1, "who": "them"}, {"id": 2, "who": "us"})
    write_lines(tmp_path, good + '{"who": "them"\n{"who": "us"\n')
    kept = land_lines(landing, tmp_path, on_bad_line="quarantine").load_id
    land_lines(landing, tmp_path, on_bad_line="quarantine")
    place = landing.month("local_jsonl", "events", json_lines.MONTH)
    assert subject_rows.counts(place, WHO) == {
        "current load": 1,
        "kept loads": 1,
        "quarantine": 2,
    }

    forget_landed.forget(place, WHO)

    assert subject_rows.counts(place, WHO) == {}
    assert kept not in place.listing().files
    landed = landed_lines(landing)
    assert landed.rows["id"].to_pylist() == [2]
    assert [row["line"] for row in landed.quarantined] == ['{"who": "us"']


@pytest.mark.stack
def test_what_a_run_lands_meanwhile_is_not_replaced_by_older_rows(
    landing: LandingZone, landed: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, *_ = landed
    rows = forget_landed.landed_rows

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(forget_landed, "landed_rows", rows)
        # Its load id is the earlier one.
        load_id = str(float(place.listing().committed[0]) + 0.001)
        write_load(place, load_id, [[THEIRS, {"id": 9, "who": "us"}]])
        return rows(*args)

    monkeypatch.setattr(forget_landed, "landed_rows", meanwhile)

    with pytest.raises(LandingError, match="was landed meanwhile"):
        forget_landed.forget(place, WHO)
    assert _ids(landing) == [1, 9]

    assert _forgotten(landing)
    assert _ids(landing) == [9]


@contextmanager
def _failing(zone: LandingZone, at: int) -> Iterator[list[str]]:
    """Let a change of the storage stop halfway, and all those after it fail; give what was done."""
    done: list[str] = []
    delete, fsync = zone.fs.rm_file, os.fsync

    def change(name: str) -> None:
        if len(done) >= at:
            raise KeyboardInterrupt
        done.append(name)

    def deleted(path: str) -> None:
        change(f"delete {path}")
        delete(path)

    def flushed(descriptor: int) -> None:
        """Stop where a file or a folder was written, of which nobody knows whether it is whole."""
        change("flush")
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zone.fs, "rm_file", deleted)
        patch.setattr(os, "fsync", flushed)
        yield done


@pytest.mark.stack
def test_wherever_it_stops_readers_see_a_whole_month_and_a_second_run_ends_it(
    tmp_path: Path, landed_thrice: Path
) -> None:
    for at in range(100):
        zone = LandingZone(url=shutil.copytree(landed_thrice, tmp_path / str(at)).as_posix())
        place = place_of(zone)
        of_others = place.listing().committed[-1]
        with _failing(zone, at) as done:
            try:
                forget_landed.forget(place, WHO)
                assert len(done) <= at
            except KeyboardInterrupt:
                assert _ids(zone) in ([1, 2, 3], [2, 3])
        _forgotten(zone)
        assert _ids(zone) == [2, 3]
        assert of_others in place.listing().committed
        place.check_content(read_record(place.fs, place.record_path(of_others)))
        if len(done) < at:
            assert at > 8
            return
    raise AssertionError("it never ended")
