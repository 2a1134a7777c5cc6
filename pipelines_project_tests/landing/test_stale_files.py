"""Which files of a month are stale, and how they go."""

import shutil
from pathlib import Path

import pytest

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import (
    ids_ago,
    land,
    place_of,
    rows_of,
    tree,
    write_load,
    write_quarantined,
)


@pytest.mark.stack
def test_a_rerun_month_is_read_as_one_load_and_leaves_the_other_stale(zone: LandingZone) -> None:
    place, other = place_of(zone), place_of(zone, "2023-02")
    land(other, [{"id": 0}])
    first = land(place, [{"id": 1}, {"id": 2}])
    second = land(place, [{"id": 3}])

    assert zone.months("demo", "events") == ["2023-01", "2023-02"]
    assert [row["id"] for row in rows_of(zone, place.current_files())] == [3]
    stale = place.stale_files()
    assert all(first.load_id in path for path in stale)
    place.delete(stale)

    assert [row["id"] for row in rows_of(zone, place.current_files())] == [3]
    assert place.listing().committed == [*place.listing().files] == [second.load_id]
    assert place.stale_files() == []
    assert [row["id"] for row in rows_of(zone, other.current_files())] == [0]


def test_only_what_is_older_than_the_current_load_is_stale_record_by_record(
    zone: LandingZone,
) -> None:
    place = place_of(zone)
    oldest, crashed, current, in_flight = ids_ago(40, 30, 20, 10)
    for load_id in (oldest, current):
        write_load(place, load_id, [[{"id": 1}], [{"id": 2}]])
    for load_id in (crashed, in_flight):
        write_load(place, load_id, committed=False)

    assert place.stale_files() == [
        place.record_path(oldest),
        f"{place.path}/{oldest}.part0.parquet",
        f"{place.path}/{oldest}.part1.parquet",
        f"{place.path}/{crashed}.part0.parquet",
    ]


def test_nothing_is_stale_where_nothing_is_committed(landing: LandingZone) -> None:
    for load_id in ids_ago(30, 20):
        write_load(place_of(landing), load_id, committed=False)

    assert place_of(landing).stale_files() == []


def test_a_record_without_files_is_stale_once_it_is_older_than_the_current_load(
    zone: LandingZone,
) -> None:
    place = place_of(zone)
    older, current, newer = ids_ago(30, 20, 10)
    write_load(place, current)
    place.commit(LoadRecord(older, {}, []))
    for load_id in (older, newer):
        zone.fs.pipe_file(f"{place.record_path(load_id)}.new", b"")

    stale = place.stale_files()
    assert stale == [place.record_path(older), f"{place.record_path(older)}.new"]
    place.delete(stale)
    assert {*place.listing().files} == {current, newer}


@pytest.mark.parametrize("keep_loads", [0, 1])
def test_nothing_is_stale_while_the_current_load_is_damaged(
    zone: LandingZone, keep_loads: int
) -> None:
    place = place_of(zone)
    for load_id in ids_ago(30, 20, 10):
        write_load(place, load_id)
    current = place.current_load()
    assert current
    zone.fs.rm_file(f"{place.path}/{current}.part0.parquet")

    with pytest.raises(DamagedLoadError, match=r"is missing.* Land 2023-01 again"):
        place.stale_files(keep_loads)
    zone.fs.pipe_file(place.record_path(current), b"{")
    with pytest.raises(DamagedLoadError, match=r"record .* is damaged"):
        place.stale_files(keep_loads)

    land(place, [{"id": 1}])
    assert place.record_path(current) in place.stale_files()


@pytest.mark.parametrize(("keep_loads", "kept"), [(0, 0), (1, 1), (2, 2), (3, 2), (100, 2)])
def test_the_newest_whole_superseded_loads_are_kept(
    zone: LandingZone, keep_loads: int, kept: int
) -> None:
    place = place_of(zone)
    oldest, crashed, newer, unreadable, cut, emptied, current = ids_ago(70, 60, 50, 40, 30, 20, 10)
    for load_id in (oldest, newer, unreadable, cut, emptied, current):
        write_quarantined(place, load_id, [{"id": 1}], [{"line": "{"}])
    write_load(place, crashed, committed=False)
    zone.fs.pipe_file(place.record_path(unreadable), b"")
    zone.fs.pipe_file(f"{place.path}/{cut}.part0.parquet", b"PAR1")
    zone.fs.rm_file(f"{place.quarantine_path}/{emptied}.refused.parquet")

    place.delete(place.stale_files(keep_loads))

    left = [current, newer, oldest][: kept + 1]
    assert place.listing().committed == left
    assert {i: len(files) for i, files in place.listing().files.items()} == dict.fromkeys(left, 3)
    assert place.stale_files(keep_loads) == []


@pytest.mark.stack
def test_stopping_after_any_file_leaves_readers_whole_and_the_rest_for_the_next_run(
    landing: LandingZone, tmp_path: Path
) -> None:
    place = place_of(landing)
    oldest, crashed, old, current, in_flight = ids_ago(50, 40, 30, 20, 10)
    for load_id in (oldest, old, current):
        write_load(place, load_id, [[{"id": load_id}], [{"id": load_id}]])
    write_load(place, crashed, committed=False)
    write_load(place, in_flight, committed=False)
    stale = place.stale_files()
    assert len(stale) == 7

    for stopped_after in range(len(stale) + 1):
        copy = LandingZone(url=str(tmp_path / f"stopped after {stopped_after}"))
        shutil.copytree(landing.url, copy.url)
        copied, before = place_of(copy), tree(Path(copy.url))
        paths = [path.replace(landing.url, copy.url) for path in stale]

        copied.delete(paths[:stopped_after])
        assert rows_of(copy, copied.current_files()) == [{"id": current}] * 2
        # A load that has lost a file has no record any more, so nobody takes it for whole.
        listing = copied.listing()
        for load_id in listing.committed:
            assert len(copied.load(listing, load_id).files) == 2

        copied.delete(copied.stale_files())
        assert rows_of(copy, copied.current_files()) == [{"id": current}] * 2
        gone = before.keys() - tree(Path(copy.url)).keys()
        assert gone == {str(Path(path).relative_to(copy.url)) for path in paths}
        assert copied.stale_files() == []


def test_a_file_that_is_gone_already_is_no_failure(zone: LandingZone) -> None:
    place = place_of(zone)
    for load_id in ids_ago(30, 20):
        write_load(place, load_id)
    stale = place.stale_files()

    place.delete([f"{place.path}/never.was.there.parquet", *stale, *stale])
    place.delete(stale)

    assert place.stale_files() == []


def test_every_file_is_tried_and_those_that_could_not_be_deleted_are_named(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 20)
    write_load(place, old, [[{"id": 1}], [{"id": 2}]])
    write_load(place, current)
    record, first, second = place.stale_files()
    delete = landing.fs.rm_file

    def refuse(path: str) -> None:
        if path in (record, second):
            raise PermissionError("not yours")
        delete(path)

    with monkeypatch.context() as patch:
        patch.setattr(landing.fs, "rm_file", refuse)
        with pytest.raises(LandingError, match="could not delete") as error:
            place.delete(place.stale_files())

    assert all(f"{path}: not yours" in str(error.value) for path in (record, second))
    assert first not in str(error.value)
    assert place.stale_files() == [record, second]
    place.delete(place.stale_files())
    assert place.listing().committed == [current]


def test_a_folder_in_place_of_a_stale_file_goes_too(landing: LandingZone) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 20)
    for load_id in (old, current):
        write_load(place, load_id)
    for path in (f"{place.path}/{old}.folder.parquet", f"{place.record_path(old)}.new"):
        Path(path, "inner").mkdir(parents=True)
        Path(path, "inner", "file").write_text("x")
    Path(place.record_path(old)).unlink()
    Path(place.record_path(old)).mkdir()

    place.delete(place.stale_files())

    assert [*place.listing().files] == [current]
    assert len([*Path(place.path).iterdir()]) == 2


def test_what_is_no_file_of_a_load_survives_in_the_folder(landing: LandingZone) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 20)
    for load_id in (old, current):
        write_load(place, load_id)
    folder = Path(place.path)
    for name in (
        "notes.txt",
        ".hidden",
        f"{old}.parquet",
        f"{old}.json",
        f"_{old}.json.old",
        f"{old}.part9.parquet.tmp",
        "x.1.parquet",
    ):
        (folder / name).write_text("mine")
    (folder / "sub").mkdir()
    (folder / "sub" / f"{old}.part0.parquet").write_text("mine")
    before = tree(folder)

    place.delete(place.stale_files())

    after = tree(folder)
    assert before.keys() - after.keys() == {f"{old}.part0.parquet", f"_{old}.json"}
    assert {name: before[name] for name in after} == after


def test_a_link_in_the_folder_never_leads_the_deletion_out_of_it(
    landing: LandingZone, tmp_path: Path
) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 20)
    for load_id in (old, current):
        write_load(place, load_id)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.parquet").write_text("precious")
    (outside / f"{old}.part0.parquet").write_text("precious")
    kept = tree(outside)
    Path(place.path, f"{old}.linked.parquet").symlink_to(outside / "precious.parquet")
    Path(place.path, f"{old}.folder.parquet").symlink_to(outside)
    Path(place.path, "elsewhere").symlink_to(outside)

    place.delete(place.stale_files())

    assert tree(outside) == kept
    assert not Path(place.path, f"{old}.linked.parquet").is_symlink()
    assert not Path(place.path, f"{old}.folder.parquet").is_symlink()
    assert Path(place.path, "elsewhere").is_symlink()
