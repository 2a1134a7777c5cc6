"""Which load of a month is current, which files are stale, and how they go."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import duckdb
import fsspec
import pytest

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingError, LandingZone
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
ROWS = 3


@pytest.fixture(params=["local disk", "memory"])
def zone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LandingZone]:
    """A landing zone on the local disk, and one on another filesystem of fsspec."""
    if request.param == "memory":
        folder = f"memory://{uuid4().hex}"
        yield LandingZone(url=f"{folder}/landing")
        fs, path = fsspec.url_to_fs(folder)
        if fs.exists(path):
            fs.rm(path, recursive=True)
    else:
        yield LandingZone(url=str(tmp_path / "landing"))


def test_a_month_that_was_never_landed_has_no_load(zone: LandingZone) -> None:
    assert zone.month(*NAMES).current_load() is None
    assert place_of(zone).current_files() is None
    assert zone.month(*NAMES).stale_files() == []
    assert zone.months("demo", "events") == []


def test_the_current_load_is_the_newest_that_has_a_marker(zone: LandingZone) -> None:
    place = place_of(zone)
    old, current, crashed = ids_ago(30, 20, 10)
    write_load(place, crashed, [[{"id": "crashed"}]], committed=False)
    assert place_of(zone).current_files() is None

    write_load(place, current, [[{"id": "current"}], [{"id": "current, too"}]])
    write_load(place, old, [[{"id": "old"}]])

    assert zone.month(*NAMES).current_load() == current
    load = place_of(zone).current_files()
    assert load is not None
    assert load.load_id == current
    assert rows_of(zone, load) == [{"id": "current"}, {"id": "current, too"}]


def test_a_rerun_month_is_read_as_one_load_and_leaves_the_other_stale(zone: LandingZone) -> None:
    place = place_of(zone)
    land(place_of(zone, "2023-02"), [{"id": 0}])
    first = land(place, [{"id": 1}, {"id": 2}])
    second = land(place, [{"id": 3}])

    assert zone.months("demo", "events") == ["2023-01", "2023-02"]
    assert [row["id"] for row in rows_of(zone, place_of(zone).current_files())] == [3]
    stale = zone.month(*NAMES).stale_files()
    assert all(first["load_id"] in path for path in stale)
    zone.delete(stale)

    assert [row["id"] for row in rows_of(zone, place_of(zone).current_files())] == [3]
    assert place.listing().committed == [second["load_id"]]
    assert place.files_by_load().keys() == {second["load_id"]}
    assert zone.month(*NAMES).stale_files() == []
    other = zone.month("demo", "events", "2023-02").current_files()
    assert [row["id"] for row in rows_of(zone, other)] == [0]


def test_a_marker_whose_files_are_gone_is_an_error_and_never_an_older_load(
    zone: LandingZone,
) -> None:
    place = place_of(zone)
    old, current = ids_ago(30, 20)
    write_load(place, old)
    write_load(place, current)
    zone.fs.rm_file(f"{place.path}/{current}.part0.parquet")

    with pytest.raises(LandingError, match="files are gone") as error:
        place_of(zone).current_files()

    for part in (current, "demo/events 2023-01", place.path, "land 2023-01 again"):
        assert part in str(error.value)


def _when_files_are_listed(monkeypatch: pytest.MonkeyPatch, *actions: object) -> None:
    """Let one action happen just before each of the next listings of the month's files."""
    listed, waiting = LandedMonth.files_by_load, iter(actions)

    def files_by_load(place: LandedMonth) -> dict[str, list[str]]:
        action = next(waiting, None)
        if callable(action):
            action()
        return listed(place)

    monkeypatch.setattr(LandedMonth, "files_by_load", files_by_load)


def test_a_reader_starts_over_when_a_new_load_is_committed_while_it_lists(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    old, new = ids_ago(30, 20)
    write_load(place, old, [[{"id": "old"}], [{"id": "old"}]])

    def rerun_up_to_half_of_the_deletion() -> None:
        write_load(place, new, [[{"id": "new"}]])
        landing.fs.rm_file(f"{place.path}/{old}.part0.parquet")

    _when_files_are_listed(monkeypatch, rerun_up_to_half_of_the_deletion)

    load = place_of(zone).current_files()
    assert load is not None
    assert load.load_id == new
    assert len(load.files) == 1


def test_a_reader_that_never_gets_a_second_look_says_so(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(1000)[0])
    reruns = [
        lambda ago=ago: place.fs.write_text(place.marker(ids_ago(ago)[0]), "{}")
        for ago in range(900, 700, -1)
    ]
    _when_files_are_listed(monkeypatch, *reruns)

    with pytest.raises(LandingError, match="demo/events 2023-01 was landed anew"):
        place_of(zone).current_files()


def test_only_what_is_older_than_the_current_load_is_stale(zone: LandingZone) -> None:
    place = place_of(zone)
    oldest, crashed, current, in_flight = ids_ago(40, 30, 20, 10)
    for load_id in (oldest, current):
        write_load(place, load_id, schema=f"schema of {load_id}")
    for load_id in (crashed, in_flight):
        write_load(place, load_id, schema=f"schema of {load_id}", committed=False)

    stale = zone.month(*NAMES).stale_files()

    assert stale[:3] == [
        f"{place.path}/{oldest}.part0.parquet",
        f"{place.path}/{crashed}.part0.parquet",
        place.marker(oldest),
    ]
    schema_files = {path.rsplit("__", 2)[1] for path in stale[3:]}
    assert schema_files == {str(float(oldest) + 0.1), str(float(crashed) + 0.1)}


def test_nothing_is_stale_where_nothing_is_committed(landing: LandingZone) -> None:
    for load_id in ids_ago(30, 20):
        write_load(place_of(landing), load_id, committed=False)

    assert landing.month(*NAMES).stale_files() == []


def test_the_data_goes_before_the_markers_and_they_before_the_schema_files(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    for load_id in ids_ago(40, 30, 20):
        write_load(place, load_id, [[{"id": 1}], [{"id": 2}]], schema=load_id)

    kinds = [Path(path).parent.name for path in landing.month(*NAMES).stale_files()]

    assert kinds == ["month=2023-01"] * 4 + ["_dlt_loads"] * 2 + ["_dlt_version"] * 2


def test_the_schema_file_that_the_current_load_shares_survives(landing: LandingZone) -> None:
    place = place_of(landing)
    for rows in ([{"id": 1}], [{"id": 2, "more": "x"}], [{"id": 3}]):
        land(place, rows)
    versions = Path(place.dataset, "_dlt_version")
    first, second = sorted(path.name for path in versions.iterdir())

    landing.delete(landing.month(*NAMES).stale_files())

    assert [path.name for path in versions.iterdir()] == [first]
    land(place, [{"id": 4, "more": "y"}])
    landing.delete(landing.month(*NAMES).stale_files())
    (left,) = versions.iterdir()
    assert left.name.rpartition("__")[2] == second.rpartition("__")[2]


@pytest.mark.parametrize(("keep_loads", "kept"), [(0, 0), (1, 1), (2, 2), (3, 2), (100, 2)])
def test_the_newest_whole_superseded_loads_are_kept(
    landing: LandingZone, keep_loads: int, kept: int
) -> None:
    place = place_of(landing)
    oldest, crashed, newer, emptied, current = ids_ago(50, 40, 30, 20, 10)
    for load_id in (oldest, newer, emptied, current):
        write_load(place, load_id, [[{"id": 1}], [{"id": 2}]], schema=load_id)
    write_load(place, crashed, schema=crashed, committed=False)
    for path in place.files_by_load()[emptied]:
        landing.fs.rm_file(path)

    landing.delete(landing.stale_files(*NAMES, keep_loads=keep_loads))

    left = [current, newer, oldest][: kept + 1]
    assert place.listing().committed == left
    assert {i: len(files) for i, files in place.files_by_load().items()} == dict.fromkeys(left, 2)
    assert len(landing.fs.ls(f"{place.dataset}/_dlt_version")) == len(left)
    assert landing.stale_files(*NAMES, keep_loads=keep_loads) == []


def test_stopping_after_any_file_leaves_readers_whole_and_the_rest_for_the_next_run(
    landing: LandingZone, tmp_path: Path
) -> None:
    place = place_of(landing)
    oldest, crashed, old, current, in_flight = ids_ago(50, 40, 30, 20, 10)
    for load_id in (oldest, old, current):
        write_load(place, load_id, [[{"id": load_id}], [{"id": load_id}]], schema=load_id)
    write_load(place, crashed, committed=False)
    write_load(place, in_flight, committed=False)
    stale = landing.month(*NAMES).stale_files()
    assert len(stale) == 10

    for stopped_after in range(len(stale) + 1):
        copy = LandingZone(url=str(tmp_path / f"stopped after {stopped_after}"))
        shutil.copytree(landing.url, copy.url)
        before = tree(Path(copy.url))
        paths = [path.replace(landing.url, copy.url) for path in stale]

        copy.delete(paths[:stopped_after])
        assert rows_of(copy, copy.current_files(*NAMES)) == [{"id": current}] * 2
        # A load that has lost a file may still have its marker, but a marker never goes first.
        marked = set(place_of(copy).committed_loads())
        assert all(i in marked for i in place_of(copy).files_by_load() if i in {oldest, old})

        copy.delete(copy.stale_files(*NAMES))
        assert rows_of(copy, copy.current_files(*NAMES)) == [{"id": current}] * 2
        gone = before.keys() - tree(Path(copy.url)).keys()
        assert gone == {str(Path(path).relative_to(copy.url)) for path in paths}
        assert copy.stale_files(*NAMES) == []


def test_a_file_that_is_gone_already_is_no_failure(zone: LandingZone) -> None:
    place = place_of(zone)
    for load_id in ids_ago(30, 20):
        write_load(place, load_id)
    stale = zone.month(*NAMES).stale_files()

    zone.delete([f"{place.path}/never.was.there.parquet", *stale, *stale])
    zone.delete(stale)

    assert zone.month(*NAMES).stale_files() == []


def test_every_file_is_tried_and_those_that_could_not_be_deleted_are_named(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 20)
    write_load(place, old, [[{"id": 1}], [{"id": 2}]])
    write_load(place, current)
    in_the_way = [f"{place.path}/{old}.{name}.parquet" for name in ("a", "z")]
    for path in in_the_way:
        Path(path, "kept").mkdir(parents=True)

    with pytest.raises(LandingError, match="could not delete") as error:
        landing.delete(landing.month(*NAMES).stale_files())

    for path in in_the_way:
        assert f"{path}: " in str(error.value)
        assert Path(path, "kept").is_dir()
    assert place.files_by_load()[old] == in_the_way
    assert place.listing().committed == [current]
    assert rows_of(landing, place_of(zone).current_files()) == [{"id": 1}]


def test_what_is_no_file_of_a_load_survives_in_the_folder(
    landing: LandingZone, tmp_path: Path
) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 20)
    for load_id in (old, current):
        write_load(place, load_id)
    folder = Path(place.path)
    for name in (
        "notes.txt",
        ".hidden",
        f"{old}.parquet",
        f"{old}.part9.parquet.tmp",
        "x.1.parquet",
    ):
        (folder / name).write_text("mine")
    (folder / "sub").mkdir()
    (folder / "sub" / f"{old}.part0.parquet").write_text("mine")
    before = tree(folder)

    landing.delete(landing.month(*NAMES).stale_files())

    after = tree(folder)
    assert before.keys() - after.keys() == {f"{old}.part0.parquet"}
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
    Path(place.path, "elsewhere").symlink_to(outside)

    landing.delete(landing.month(*NAMES).stale_files())

    assert tree(outside) == kept
    assert not Path(place.path, f"{old}.linked.parquet").is_symlink()
    assert Path(place.path, "elsewhere").is_symlink()


@pytest.mark.parametrize("name", ["with space", "100%25#?", "o'clock", "[ab]*", "länder"])
def test_any_folder_can_be_the_landing_zone(tmp_path: Path, name: str) -> None:
    zone = LandingZone(url=f"{tmp_path / name}/")
    land(place_of(zone), [{"id": 1}])
    land(place_of(zone), [{"id": 2}])
    zone.delete(zone.month(*NAMES).stale_files())

    assert [row["id"] for row in rows_of(zone, place_of(zone).current_files())] == [2]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_whose_name_is_a_pattern_is_not_read_together_with_those_that_it_fits(
    tmp_path: Path,
) -> None:
    zone = LandingZone(url=str(tmp_path / "zone[1]*"))
    land(place_of(zone), [{"id": 1}])
    shutil.copytree(tmp_path / "zone[1]*", tmp_path / "zone1 of yesterday")

    assert [row["id"] for row in rows_of(zone, place_of(zone).current_files())] == [1]


@pytest.mark.parametrize("url", ["nowhere://x", "x:y://z"])
def test_a_url_that_is_no_filesystem_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(LandingError, match=r"LANDING_URL is .*not known"):
        _ = LandingZone(url=url).fs


def test_the_pipeline_of_a_month_has_a_working_folder_of_its_own_that_goes_with_it(
    landing: LandingZone,
) -> None:
    with landing.pipeline(*NAMES) as one, landing.pipeline(*NAMES) as other:
        assert one.pipeline_name == other.pipeline_name == "demo_events_2023_01"
        folders = [Path(one.pipelines_dir), Path(other.pipelines_dir)]
        assert all(folder.is_dir() for folder in folders)
        assert folders[0] != folders[1]

    assert not any(folder.exists() for folder in folders)


def test_a_pipeline_begins_without_what_an_earlier_one_knew(landing: LandingZone) -> None:
    place = place_of(landing)
    land(place, [{"id": 1, "gone": "x"}])
    land(place, [{"id": 2}])

    (row,) = rows_of(landing, place_of(zone).current_files())
    assert "gone" not in row


def _rerun_by_dlt(zone: LandingZone, number: int) -> None:
    land(place_of(zone), [{"rerun": number}] * ROWS)


def _rerun_by_hand(zone: LandingZone, number: int) -> None:
    write_load(place_of(zone), str(time.time()), [[{"rerun": number}]] * ROWS)


@pytest.mark.parametrize(("rerun", "reruns"), [(_rerun_by_hand, 200), (_rerun_by_dlt, 10)])
def test_a_reader_never_sees_half_a_load_of_a_month_that_is_rerun_again_and_again(
    landing: LandingZone,
    monkeypatch: pytest.MonkeyPatch,
    rerun: Callable[[LandingZone, int], None],
    reruns: int,
) -> None:
    # One row a file, so that every load has several files.
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS", "1")
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS", "1")
    rerun(landing, 0)

    def write() -> None:
        for number in range(1, reruns + 1):
            rerun(landing, number)
            landing.delete(landing.month(*NAMES).stale_files())

    seen, last = [0], ""
    with duckdb.connect(config={"threads": 1}) as connection, ThreadPoolExecutor(1) as writer:
        writing = writer.submit(write)
        while not (writing.done() and seen[-1:] == [reruns]):
            load = place_of(zone).current_files()
            assert load is not None
            assert len(load.files) == ROWS
            if load.load_id == last:
                continue  # Listing is where the race is: most turns go to it.
            query = "select rerun, count(*) from read_parquet($files) group by all"
            try:
                ((number, rows),) = connection.execute(query, {"files": load.files}).fetchall()
            except duckdb.IOException:
                continue  # Deleted since it was listed: the reader starts over.
            assert rows == ROWS
            seen.append(number)
            last = load.load_id
        writing.result()

    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def test_load_ids_of_a_real_run_are_times(landing: LandingZone) -> None:
    before = time.time()
    load_id = land(place_of(landing), [{"id": 1}])["load_id"]

    assert before <= float(load_id) <= time.time()
    assert landing.month(*NAMES).current_load() == load_id
