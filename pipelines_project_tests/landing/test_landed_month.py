"""A month has folders of its own, under names that lead nowhere else, and one current load."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dlt.common.schema.utils import is_valid_schema_name, normalize_schema_name
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.landed_month import LandedMonth, Listing
from pipelines_project.landing.zone import LandingZone
from pipelines_project.names import checked_name
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    tree,
    write_load,
    write_quarantined,
)

NOT_NAMES = [
    "",
    ".",
    "..",
    "../games",
    "a/b",
    "/etc",
    "a\\b",
    "games'--",
    'ga"mes',
    "100%",
    "%2e%2e",
    "games\n",
    "ga mes",
    "Games",
    "1st",
    "_games",
    "games_",
    "a__b",
    "a-b",
    "jeux_é",
    "игры",
    "ゲーム",
    "games٢",
    "games\0",
    "x" * 10_000,
]
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}(_[a-z0-9]{1,6}){0,3}", fullmatch=True)


@pytest.mark.parametrize("name", NOT_NAMES, ids=range(len(NOT_NAMES)))
def test_what_is_no_name_is_refused_as_source_and_as_table(name: str) -> None:
    zone = LandingZone(url="nowhere")
    questions: list[Callable[[], object]] = [
        lambda: zone.month(name, "events", MONTH),
        lambda: zone.month("demo", name, MONTH),
        lambda: zone.months(name, "events"),
        lambda: zone.months("demo", name),
        lambda: zone.months_with_files(name, "events"),
        lambda: zone.months_with_files("demo", name),
    ]
    for ask in questions:
        with pytest.raises(ValueError, match="is not a name") as refusal:
            ask()

        assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("month", ["", "..", "2023-01/..", "2023-1", "2023-01\n", "2023-01'"])
def test_what_is_no_month_has_no_folder(landing: LandingZone, month: str) -> None:
    with pytest.raises(ValueError, match="is not a month"):
        place_of(landing, month)


@settings(max_examples=40)
@given(NAMES, NAMES)
def test_dlt_takes_every_allowed_pair_of_names_as_it_is(source: str, table: str) -> None:
    assume(len(source) + len(table) <= 55)
    name = LandingZone(url="none").month(source, table, "2023-01").pipeline_name

    assert is_valid_schema_name(name)
    assert normalize_schema_name(name) == name
    assert checked_name(table) == table


def test_the_longest_names_land_and_are_read_and_longer_ones_are_refused(
    landing: LandingZone,
) -> None:
    longest = landing.month("s" * 30, "t" * 25, "2023-01")
    land(longest, [{"id": 1}])

    assert [row["id"] for row in rows_of(landing, longest.current_files())] == [1]
    with pytest.raises(ValueError, match="1 characters too long"):
        landing.month("s" * 30, "t" * 26, "2023-01")


NEIGHBOURS = [
    ("demo", "events", "2023-01"),
    ("demo", "events_extra", "2023-01"),
    ("demo", "events_2023", "2023-01"),
    ("demo", "event", "2023-01"),
    ("demo", "events", "2023-02"),
    ("demo_events", "extra", "2023-01"),
    ("dem", "events", "2023-01"),
]


@pytest.fixture
def neighbours(landing: LandingZone) -> list[LandedMonth]:
    """Months whose names share beginnings, each with an old load, the current one and a crash."""
    places = [landing.month(*names) for names in NEIGHBOURS]
    for number, place in enumerate(places):
        old, crashed, current = ids_ago(30 + number, 20 + number, 10 + number)
        write_load(place, old)
        write_load(place, crashed, committed=False)
        write_load(place, current, [[{"id": number}]])
    return places


def test_months_whose_names_share_a_beginning_do_not_see_each_other(
    landing: LandingZone, neighbours: list[LandedMonth]
) -> None:
    for number, place in enumerate(neighbours):
        assert rows_of(landing, place.current_files()) == [{"id": number}]
        assert len(place.listing().committed) == 2
        assert len(place.listing().files) == 3
    assert landing.months("demo", "events") == ["2023-01", "2023-02"]
    assert landing.months("demo", "events_extra") == ["2023-01"]
    assert landing.months("demo", "events_2023") == ["2023-01"]
    assert landing.months("demo", "extra") == []
    assert landing.months("nothing", "events") == []


@pytest.mark.parametrize("tidied", range(len(NEIGHBOURS)))
def test_tidying_a_month_leaves_those_with_a_like_name_alone(
    landing: LandingZone, neighbours: list[LandedMonth], tidied: int
) -> None:
    root = Path(landing.url)
    before = tree(root)
    place = neighbours[tidied]

    place.delete(place.stale_files())

    gone = before.keys() - tree(root).keys()
    assert len(gone) == 3
    assert {Path(name).parent for name in gone} == {Path(place.path).relative_to(root)}


def test_a_month_that_was_never_landed_has_no_load(zone: LandingZone) -> None:
    place = place_of(zone)
    assert place.listing() == Listing()
    assert place.current_load() is None
    assert place.current_files() is None
    assert place.stale_files() == []
    assert zone.months("demo", "events") == []


def test_the_record_commits_a_load(zone: LandingZone) -> None:
    place = place_of(zone)
    old, new = ids_ago(20, 10)
    write_load(place, old, [[{"id": "old"}]])
    record = write_load(place, new, [[{"id": "new"}]], committed=False)

    assert place.current_load() == old
    assert rows_of(zone, place.current_files()) == [{"id": "old"}]

    place.commit(record)

    assert place.current_load() == new
    assert rows_of(zone, place.current_files()) == [{"id": "new"}]


def test_the_current_load_is_the_newest_that_has_a_record(zone: LandingZone) -> None:
    place = place_of(zone)
    old, current, crashed = ids_ago(30, 20, 10)
    write_load(place, crashed, [[{"id": "crashed"}]], committed=False)
    assert place.current_files() is None
    assert zone.months_with_files("demo", "events") == [MONTH]
    assert zone.months("demo", "events") == []

    write_load(place, current, [[{"id": "current"}], [{"id": "current, too"}]])
    write_load(place, old, [[{"id": "old"}]])

    load = place.current_files()
    assert load
    assert load.load_id == place.current_load() == current
    assert rows_of(zone, load) == [{"id": "current"}, {"id": "current, too"}]


def test_load_ids_are_ordered_as_numbers(landing: LandingZone) -> None:
    place = place_of(landing)
    for load_id in ("1000.5", "999.25", "1000.0625"):
        write_load(place, load_id)

    assert place.listing().committed == ["1000.5", "1000.0625", "999.25"]


def test_a_record_that_is_being_written_commits_nothing(zone: LandingZone) -> None:
    place = place_of(zone)
    old, new = ids_ago(20, 10)
    write_load(place, old)
    zone.fs.pipe_file(f"{place.record_path(new)}.new", b"{")

    assert place.listing().committed == [old]
    assert place.current_load() == old


def test_files_that_the_record_does_not_name_do_not_exist(zone: LandingZone) -> None:
    place = place_of(zone)
    [current] = ids_ago(10)
    write_load(place, current, [[{"id": 1}]])
    zone.fs.pipe_file(f"{place.path}/{current}.part9.parquet", b"no parquet")

    assert rows_of(zone, place.current_files()) == [{"id": 1}]


def test_the_files_of_a_load_begin_with_its_record_if_it_has_one(landing: LandingZone) -> None:
    place = place_of(landing)
    committed, crashed, unknown = ids_ago(30, 20, 10)
    write_load(place, committed, [[{"id": 1}], [{"id": 2}]])
    write_load(place, crashed, committed=False)

    parts = [f"{place.path}/{committed}.part{number}.parquet" for number in (0, 1)]
    assert place.files_of_load(committed) == [place.record_path(committed), *parts]
    assert place.files_of_load(crashed) == [f"{place.path}/{crashed}.part0.parquet"]
    assert place.files_of_load(unknown) == []


def test_a_loads_files_are_those_of_its_quarantine_too_but_only_its_own_are_read(
    zone: LandingZone,
) -> None:
    place = place_of(zone)
    old, new = ids_ago(20, 10)
    for load_id in (old, new):
        write_quarantined(place, load_id, [{"id": 1}], [{"line": "{"}])

    own, refused = (f"{folder}/{old}" for folder in (place.path, place.quarantine_path))
    assert place.stale_files() == [
        place.record_path(old),
        f"{own}.part0.parquet",
        f"{refused}.refused.parquet",
    ]
    load = place.current_files()
    assert load
    assert rows_of(zone, load) == [{"id": 1}]
    [quarantined] = [p for p, file in place.paths(load.record).items() if file.table != place.table]
    assert quarantined.endswith(f"{place.quarantine_path}/{new}.refused.parquet")


def _drop(place: LandedMonth, path: str) -> None:
    place.fs.rm_file(path)


def _cut(place: LandedMonth, path: str) -> None:
    content = place.fs.cat_file(path)
    place.fs.pipe_file(path, content[:-1])


def _lengthen(place: LandedMonth, path: str) -> None:
    content = place.fs.cat_file(path)
    place.fs.pipe_file(path, content + b"\0")


@pytest.mark.parametrize("of", ["events", "events_quarantine"])
@pytest.mark.parametrize(
    ("harm", "said"), [(_drop, "is missing"), (_cut, "bytes, not"), (_lengthen, "bytes, not")]
)
def test_a_load_that_is_not_as_recorded_is_an_error_that_names_the_file_and_no_older_load(
    zone: LandingZone, harm: Callable[[LandedMonth, str], None], said: str, of: str
) -> None:
    place = place_of(zone)
    old, current = ids_ago(30, 20)
    for load_id in (old, current):
        write_quarantined(place, load_id, [{"id": 1}], [{"line": "{"}])
    name = f"{current}.part0.parquet" if of == "events" else f"{current}.refused.parquet"
    harmed = f"{place.folder_of(of)}/{name}"
    harm(place, harmed)

    for ask in (place.current_files, place.stale_files):
        with pytest.raises(DamagedLoadError, match=said) as error:
            ask()

        for part in (harmed, "demo/events 2023-01", "Land 2023-01 again"):
            assert part in str(error.value)
    assert place.current_load() == current


@pytest.mark.parametrize("at", ["file", "record"])
def test_a_folder_in_place_of_a_file_is_an_error_that_names_it(
    landing: LandingZone, at: str
) -> None:
    place = place_of(landing)
    [current] = ids_ago(10)
    write_load(place, current)
    own = f"{place.path}/{current}.part0.parquet"
    path = Path(own if at == "file" else place.record_path(current))
    path.unlink()
    path.mkdir()

    with pytest.raises(DamagedLoadError, match="Land 2023-01 again") as error:
        place.current_files()

    assert str(path) in str(error.value)


def _flip(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


@pytest.mark.parametrize("harm", [_flip, lambda content: bytes(len(content))])
def test_content_that_is_not_as_recorded_is_found_by_its_hash(
    zone: LandingZone, harm: Callable[[bytes], bytes]
) -> None:
    place = place_of(zone)
    [current] = ids_ago(10)
    write_load(place, current, [[{"id": 1}], [{"id": 2}]])
    whole = place.current_files()
    assert whole
    place.check_content(whole.record)
    path = f"{place.path}/{current}.part1.parquet"
    zone.fs.pipe_file(path, harm(zone.fs.cat_file(path)))

    load = place.current_files()
    assert load
    with pytest.raises(DamagedLoadError, match="sha256") as error:
        place.check_content(load.record)

    assert path in str(error.value)
    assert "part0" not in str(error.value)


def test_one_look_lists_each_folder_once(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    for load_id in ids_ago(30, 20, 10):
        write_load(place, load_id)
    listed: list[str] = []
    ls = landing.fs.ls

    def counted(path: str, **options: Any) -> Any:
        listed.append(path)
        return ls(path, **options)

    monkeypatch.setattr(landing.fs, "ls", counted)

    for ask in (place.listing, place.current_load, place.current_files, place.stale_files):
        ask()

        assert listed == [place.path, place.quarantine_path]
        listed.clear()


def _when_it_is_listed(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], object]) -> None:
    """Let one action happen just after each of the next looks at the month."""
    listing, waiting = LandedMonth.listing, iter(actions)

    def listed(place: LandedMonth) -> Listing:
        found = listing(place)
        next(waiting, lambda: None)()
        return found

    monkeypatch.setattr(LandedMonth, "listing", listed)


def test_a_reader_starts_over_when_a_new_load_is_committed_while_it_lists(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    old, new = ids_ago(30, 20)
    write_load(place, old, [[{"id": "old"}], [{"id": "old"}]])

    def rerun_up_to_half_of_the_deletion() -> None:
        write_load(place, new, [[{"id": "new"}]])
        place.delete(place.files_of_load(old)[:2])

    _when_it_is_listed(monkeypatch, rerun_up_to_half_of_the_deletion)

    load = place.current_files()
    assert load
    assert load.load_id == new
    assert len(load.files) == 1


def test_a_month_that_was_landed_and_tidied_while_it_was_listed_is_not_one_without_a_load(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    old, new = ids_ago(30, 20)
    write_load(place, old)
    ls, waiting = landing.fs.ls, iter([True])

    def listed(path: str, **options: Any) -> Any:
        """List what is there before and after: what goes is missing, and what comes is too."""
        before = ls(path, **options)
        if path != place.path or not next(waiting, False):
            return before
        write_load(place, new)
        place.delete(place.files_of_load(old))
        return [entry for entry in before if Path(entry["name"]).exists()]

    monkeypatch.setattr(landing.fs, "ls", listed)

    assert place.current_load() == new
    assert landing.months("demo", "events") == [MONTH]


def test_a_reader_looks_again_where_a_listing_shows_a_record_and_not_yet_its_files(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    [load_id] = ids_ago(10)
    write_load(place, load_id)
    listing, early = place.listing(), iter([True])

    def listed(place: LandedMonth) -> Listing:
        if next(early, False):
            return Listing([load_id], {load_id: {place.record_path(load_id): 1}})
        return listing

    monkeypatch.setattr(LandedMonth, "listing", listed)

    load = place.current_files()
    assert load
    assert len(load.files) == 1


@pytest.mark.stack
def test_a_reader_that_never_gets_a_second_look_says_so(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    ids = ids_ago(*range(1000, 800, -1))
    write_load(place, ids[0])

    def rerun(old: str, new: str) -> None:
        write_load(place, new)
        place.delete([place.record_path(old)])

    reruns = [partial(rerun, *pair) for pair in pairwise(ids)]
    _when_it_is_listed(monkeypatch, *reruns)

    with pytest.raises(LandingError, match="demo/events 2023-01 was landed anew"):
        place.current_files()
