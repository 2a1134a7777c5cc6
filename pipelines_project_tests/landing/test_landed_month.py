"""A month has a folder, markers and schema files of its own, under names that lead nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dlt.common.schema.utils import is_valid_schema_name, normalize_schema_name
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines_project.landing.landed_month import LandedMonth
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
        lambda: zone.month(name, "events", MONTH).current_load(),
        lambda: zone.month("demo", name, MONTH).current_files(),
        lambda: zone.month(name, "events", MONTH).stale_files(),
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
    schema_name = LandingZone(url="none").month(source, table, "2023-01").schema_name

    assert is_valid_schema_name(schema_name)
    assert normalize_schema_name(schema_name) == schema_name
    assert checked_name(table) == table


def test_the_longest_names_land_and_are_read_and_longer_ones_are_refused(
    landing: LandingZone,
) -> None:
    longest = landing.month("s" * 30, "t" * 25, "2023-01")
    land(longest, landing, [{"id": 1}])

    load = landing.month(longest.source, longest.table, "2023-01").current_files()
    assert [row["id"] for row in rows_of(landing, load)] == [1]
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
        write_load(place, old, schema="old")
        write_load(place, crashed, committed=False)
        write_load(place, current, [[{"id": number}]])
    return places


def test_months_whose_names_share_a_beginning_do_not_see_each_other(
    landing: LandingZone, neighbours: list[LandedMonth]
) -> None:
    for number, place in enumerate(neighbours):
        load = landing.month(place.source, place.table, place.month).current_files()

        assert rows_of(landing, load) == [{"id": number}]
        assert len(place.listing().committed) == 2
        assert len(place.files_by_load()) == 3
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
    landing.delete(landing.month(*NEIGHBOURS[tidied]).stale_files())

    gone = before.keys() - tree(root).keys()
    place = neighbours[tidied]
    assert len(gone) == 4
    assert {Path(name).parent for name in gone} == {
        Path(place.path).relative_to(root),
        Path(place.dataset, "_dlt_loads").relative_to(root),
        Path(place.dataset, "_dlt_version").relative_to(root),
    }
    assert all(
        Path(name).parent.name == f"month={place.month}"
        or Path(name).name.startswith(f"{place.schema_name}__")
        for name in gone
    )


def test_a_month_is_landed_once_it_has_a_marker(landing: LandingZone) -> None:
    load_id = ids_ago(10)[0]
    write_load(place_of(landing, "2023-02"), load_id, committed=False)
    write_load(place_of(landing, "2022-12"), load_id)
    write_load(place_of(landing, "2023-01"), load_id)

    assert landing.months("demo", "events") == ["2022-12", "2023-01"]


def test_load_ids_are_ordered_as_numbers(landing: LandingZone) -> None:
    place = place_of(landing)
    for load_id in ("1000.5", "999.25", "1000.0625"):
        write_load(place, load_id)

    assert place.listing().committed == ["1000.5", "1000.0625", "999.25"]


def test_the_files_of_a_load_begin_with_its_marker_if_it_has_one(landing: LandingZone) -> None:
    place = place_of(landing)
    committed, crashed, unknown = ids_ago(30, 20, 10)
    write_load(place, committed, [[{"id": 1}], [{"id": 2}]])
    write_load(place, crashed, committed=False)

    parts = [f"{place.path}/{committed}.part{number}.parquet" for number in (0, 1)]
    assert place.files_of_load(committed) == [place.marker(committed), *parts]
    assert place.files_of_load(crashed) == [f"{place.path}/{crashed}.part0.parquet"]
    assert place.files_of_load(unknown) == []


def test_a_schema_file_that_a_kept_load_uses_stays(landing: LandingZone) -> None:
    place = place_of(landing)
    first, second, third, current = ids_ago(40, 30, 20, 10)
    write_load(place, first, schema="shared")
    write_load(place, second, schema="unused")
    write_load(place, third, schema="kept")
    write_load(place, current, schema="shared")

    def stale(*kept: str) -> list[str]:
        return [Path(path).name.split("__")[1] for path in place.stale_schema_files([*kept])]

    assert stale(current) == [str(float(second) + 0.1), str(float(third) + 0.1)]
    assert stale(current, third) == [str(float(second) + 0.1)]
    # An older load than the one that a run is writing now: what is newer is not its to judge.
    assert stale(second) == [str(float(first) + 0.1)]


def test_of_the_files_of_a_schema_that_runs_wrote_at_once_the_newest_stays(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    first, second, current = ids_ago(40, 30, 10)
    write_load(place, current, schema="shared")
    [written] = Path(place.dataset, "_dlt_version").iterdir()
    twice, newer = (
        written.with_name(written.name.replace(str(float(current) + 0.1), at))
        for at in (first, str(float(current) + 0.2))
    )
    written.rename(written.with_name(written.name.replace(str(float(current) + 0.1), second)))
    twice.write_text("{}")

    assert place.stale_schema_files([current]) == [str(twice)]
    newer.write_text("{}")
    stale = place.stale_schema_files([current])
    assert [Path(path).name.split("__")[1] for path in stale] == [first, second]


@pytest.mark.parametrize("content", [None, "", '{"schema_version_h'])
def test_no_schema_file_goes_while_a_kept_marker_cannot_be_read(
    landing: LandingZone, content: str | None
) -> None:
    place = place_of(landing)
    old, current = ids_ago(30, 10)
    write_load(place, old, schema="old")
    write_load(place, current, schema="new")
    assert len(place.stale_schema_files([current])) == 1

    marker = Path(place.marker(current))
    if content is None:
        marker.unlink()
    else:
        marker.write_text(content)

    assert place.stale_schema_files([current]) == []


def test_a_loads_files_are_those_of_its_quarantine_too_but_only_its_own_are_read(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    old, new = ids_ago(20, 10)
    for load_id in (old, new):
        write_load(place, load_id)
        place.fs.makedirs(place.quarantine_path, exist_ok=True)
        place.fs.touch(f"{place.quarantine_path}/{load_id}.refused.parquet")

    assert {len(files) for files in place.files_by_load().values()} == {1}
    assert {len(files) for files in place.all_files_by_load().values()} == {2}
    assert [path.rsplit("/")[-3] for path in place.files_of_load(old)[1:]] == [
        "events",
        "events_quarantine",
    ]
    stale = landing.month("demo", "events", MONTH).stale_files()
    # The marker goes after the files of both tables.
    assert stale[:3] == [*place.all_files_by_load()[old], place.marker(old)]
    assert landing.quarantine_files(place, new) == [
        f"{place.quarantine_path}/{new}.refused.parquet"
    ]
