"""A person's rows leave a landed month: its readers see it whole all the time."""

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
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import read_record, write_record
from pipelines_project.landing.restore import restore
from pipelines_project.landing.zone import LandingError, LandingZone
from pipelines_project_tests import json_lines
from pipelines_project_tests.conftest import landing
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

NAMES = ("demo", "events", MONTH)
WHO = Subject("who", "them")
THEIRS, OURS = {"id": 1, "who": "them"}, {"id": 2, "who": "us"}


def _ids(zone: LandingZone) -> list[int]:
    return [row["id"] for row in rows_of(zone, place_of(landing).current_files())]


def _forgotten(zone: LandingZone) -> dict[str, Any] | None:
    """Forget, and check that nothing is left, of whatever kind."""
    place = place_of(zone)
    metadata = forget_landed.forget(zone, place, WHO)
    assert subject_rows.counts(place, WHO) == {}
    named = [path for path, data in tree(Path(place.dataset)).items() if b"them" in (data or b"")]
    assert named == []
    return metadata


def _landed(zone: LandingZone) -> tuple[LandedMonth, str, str]:
    """Land a month twice, and return both loads; the second has one row more."""
    place = place_of(zone)
    kept = land(place, [THEIRS, OURS])["load_id"]
    return place, kept, land(place, [THEIRS, OURS, {"id": 3, "who": "us"}])["load_id"]


def test_the_month_is_landed_anew_and_the_kept_load_keeps_its_other_rows(
    landing: LandingZone,
) -> None:
    place, kept, current = _landed(landing)
    ours = rows_of(landing, place_of(landing).current_files())[1:]

    metadata = _forgotten(landing)

    assert metadata
    assert (metadata["dagster/partition_row_count"], metadata["rows_forgotten"]) == (2, 1)
    assert place.listing().committed == [metadata["load_id"], kept]
    assert current not in place.all_files_by_load()
    rows = rows_of(landing, place_of(landing).current_files())
    assert [{**row, "_dlt_load_id": ""} for row in rows] == [
        {**row, "_dlt_load_id": ""} for row in ours
    ]
    restore(landing, place, kept)
    assert _ids(landing) == [2]


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


def test_kept_loads_that_cannot_be_restored_go_with_their_rows(landing: LandingZone) -> None:
    place = place_of(landing)
    damaged = land(place, [THEIRS, OURS])["load_id"]
    [file] = place.files_by_load()[damaged]
    Path(file).write_bytes(Path(file).read_bytes()[:-9])
    unrecorded = land(place, [THEIRS, OURS])["load_id"]
    landing.fs.rm_file(place.record(unrecorded))
    of_others = land(place, [OURS])["load_id"]
    landing.fs.rm_file(place.record(of_others))
    current = land(place, [OURS])["load_id"]

    assert _forgotten(landing) is None

    assert place.listing().committed == [current, of_others]
    assert {*place.all_files_by_load()} == {current, of_others}


def test_leftovers_of_killed_runs_go_if_they_are_older_than_the_current_load(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    theirs, cut_off, of_others = ids_ago(30, 20, 10)
    for load_id in (theirs, cut_off):
        write_load(place, load_id, [[THEIRS]], committed=False)
    write_load(place, of_others, [[OURS]], committed=False)
    [file] = place.files_by_load()[cut_off]
    Path(file).write_bytes(Path(file).read_bytes()[:-9])
    current = land(place, [OURS])["load_id"]

    assert _forgotten(landing) is None

    assert {*place.all_files_by_load()} == {current, of_others}


def test_leftovers_newer_than_the_current_load_go_when_the_month_is_landed_anew(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    land(place, [OURS])
    killed = land(place, [THEIRS])["load_id"]
    landing.fs.rm_file(place.marker(killed))

    assert _forgotten(landing)

    assert _ids(landing) == [2]
    assert len(place.all_files_by_load()) == 1


def test_of_a_month_that_was_never_landed_nothing_goes_and_what_there_is_is_counted(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    [load_id] = ids_ago(10)
    write_load(place, load_id, [[THEIRS]], committed=False)

    assert forget_landed.forget(landing, place, WHO) is None

    # A run may be about to commit it.
    assert [*place.files_by_load()] == [load_id]
    assert subject_rows.counts(place, WHO) == {"loads without a marker": 1}
    assert landing.months_with_files("demo", "events") == [MONTH]


def test_what_was_fetched_of_them_is_no_longer_recorded(landing: LandingZone) -> None:
    place = place_of(landing)
    record = read_record(place, land(place, [OURS])["load_id"])
    assert record
    fetched = {"https://example.com/us": "1", "https://example.com/them/2023/01": "2"}
    write_record(place, replace(record, fetched=fetched))
    [killed] = ids_ago(10)
    write_record(place, replace(record, load_id=killed, fetched=fetched))
    landing.fs.write_text(f"{place.record(killed)}.new", "cut off, of them")
    assert subject_rows.counts(place, WHO) == {"records": 2}

    assert _forgotten(landing) is None

    assert read_record(place, record.load_id) == replace(
        record, fetched={"https://example.com/us": "1"}
    )
    assert {*place.all_files_by_load()} == {record.load_id}


def test_a_current_load_that_cannot_be_read_is_an_error_and_stays(landing: LandingZone) -> None:
    place, _, current = _landed(landing)
    [file] = place.files_by_load()[current]
    Path(file).write_bytes(b"no parquet")
    before = tree(Path(landing.url))

    with pytest.raises(LandingError, match=f"load {current} cannot be read: .*{file}"):
        forget_landed.forget(landing, place, WHO)

    assert tree(Path(landing.url)) == before
    assert subject_rows.counts(place, WHO)["unreadable files of current load"] == 1


def test_quarantined_lines_that_name_them_go_from_every_load(
    landing: LandingZone, tmp_path: Path
) -> None:
    good = jsonl({"id": 1, "who": "them"}, {"id": 2, "who": "us"})
    write_lines(tmp_path, good + '{"who": "them"\n{"who": "us"\n')
    kept = land_lines(landing, tmp_path, on_bad_line="quarantine").metadata["load_id"]
    land_lines(landing, tmp_path, on_bad_line="quarantine")
    place = landing.month("local_jsonl", "events", json_lines.MONTH)
    assert subject_rows.counts(place, WHO) == {
        "current load": 1,
        "kept loads": 1,
        "quarantine": 2,
    }

    forget_landed.forget(landing, place, WHO)

    assert subject_rows.counts(place, WHO) == {}
    for load_id in (None, kept):
        if load_id:
            restore(landing, place, load_id)
        landed = landed_lines(landing)
        assert landed.rows["id"].to_pylist() == [2]
        assert [row["line"] for row in landed.quarantined] == ['{"who": "us"']


def test_what_a_run_lands_meanwhile_is_not_replaced_by_older_rows(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, _ = _landed(landing)
    rows = forget_landed.landed_rows

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(forget_landed, "landed_rows", rows)
        # Its load id is the earlier one.
        load_id = str(float(place.listing().committed[0]) + 0.001)
        write_load(place, load_id, [[THEIRS, {"id": 9, "who": "us"}]])
        return rows(*args)

    monkeypatch.setattr(forget_landed, "landed_rows", meanwhile)

    with pytest.raises(LandingError, match="was landed meanwhile"):
        forget_landed.forget(landing, place, WHO)
    assert _ids(landing) == [1, 9]

    assert _forgotten(landing)
    assert _ids(landing) == [9]


_CHANGES = ("rm_file", "mv", "pipe_file", "put_file", "write_text")


@contextmanager
def _failing(zone: LandingZone, at: int) -> Iterator[list[str]]:
    """Let a change of the storage stop halfway, and all those after it fail; give what was done."""
    done: list[str] = []

    def failing(name: str) -> Callable[..., Any]:
        change = getattr(zone.fs, name)

        def changed(path: str, *args: Any, **kwargs: Any) -> Any:
            if len(done) == at and name in ("pipe_file", "put_file"):
                Path(args[0] if name == "put_file" else path).write_bytes(b"half a file, of them")
            if len(done) >= at:
                raise KeyboardInterrupt
            done.append(f"{name} {path}")
            return change(path, *args, **kwargs)

        return changed

    with pytest.MonkeyPatch.context() as patch:
        for name in _CHANGES:
            patch.setattr(zone.fs, name, failing(name), raising=True)
        yield done


def test_wherever_it_stops_readers_see_a_whole_month_and_a_second_run_ends_it(
    tmp_path: Path,
) -> None:
    _, kept, _ = _landed(LandingZone(url=str(tmp_path / "before")))
    for at in range(100):
        zone = LandingZone(url=shutil.copytree(tmp_path / "before", tmp_path / str(at)).as_posix())
        place = place_of(zone)
        with _failing(zone, at) as done:
            try:
                forget_landed.forget(zone, place, WHO)
                assert len(done) <= at
            except KeyboardInterrupt:
                assert _ids(zone) in ([1, 2, 3], [2, 3])
        _forgotten(zone)
        assert _ids(zone) == [2, 3]
        assert kept in place.listing().committed
        assert restore(zone, place, kept)["dagster/partition_row_count"] == 1
        if len(done) < at:
            assert at > 8
            return
    raise AssertionError("it never ended")
