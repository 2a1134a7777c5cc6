"""Athena reads exactly a month's current load, whatever crashes, overlaps or is deleted."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipelines_project.forget.forgetting import Forgetting
from pipelines_project.glue.manifest import read_manifest
from pipelines_project.glue.publication import Publication
from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.listing import Listing
from pipelines_project.landing.restore import restore
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.month_results import MonthResult
from pipelines_project.orchestration.tidy import DeleteStaleFilesConfig, tidy
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.glue.athena import Athena, published_table
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    write_load,
    write_quarantined,
)
from pipelines_project_tests.object_store import Fault, Gate

pytestmark = pytest.mark.stack

OLD, NEW = [{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 3}]
FOR_GOOD = 10_000


@pytest.fixture
def publication(athena: Athena, zone: LandingZone) -> Publication:
    """What publishes the table `demo/events`."""
    return Publication(published_table(athena), zone)


def _tidy(publication: Publication, month: str = MONTH, **config: Any) -> dict[str, Any]:
    """Publish and tidy a month, as the op does."""
    table, zone = publication.table, publication.zone
    return tidy(table, zone, DeleteStaleFilesConfig(**config), MonthResult(month), publication)


def _current(zone: LandingZone) -> list[int]:
    """Return the ids of the rows of the month's current load."""
    return [row["id"] for row in rows_of(zone, place_of(zone).current_files())]


def _anew(publication: Publication) -> Publication:
    """Return what another run would publish with."""
    return Publication(publication.table, publication.zone)


def test_athena_reads_the_current_load_and_nothing_else(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    land(place, OLD)
    publication.publish(place)
    assert athena.ids(place) == [1, 2]

    new = land(place, NEW)
    write_load(place, ids_ago(-60)[0], [[{"id": 9}]], committed=False)
    published = publication.publish(place)

    assert athena.ids(place) == [2, 3]
    assert published.current is not None
    assert athena.named(place) == published.current.files
    assert published.current.load_id == new.load_id
    assert len(place.listing().files) == 3
    assert published.table == f"{athena.database}.demo__events"


def test_rows_that_a_load_refused_are_not_read(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    write_quarantined(place, ids_ago(1)[0], [{"id": 1}], [{"line": "{"}])

    publication.publish(place)

    assert athena.ids(place) == [1]


def test_a_month_without_rows_is_read_as_none(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    land(place, OLD)
    _tidy(publication)
    land(place, [], columns={"id": {"data_type": "bigint"}})

    _tidy(publication)

    assert len(athena.named(place)) == 1
    assert athena.ids(place) == []


def test_a_month_that_was_never_landed_makes_nothing(
    store: Gate, athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    assert publication.publish(place_of(zone)).current is None

    assert athena.named(place_of(zone)) == []
    assert athena.glue.get_tables(DatabaseName=athena.database)["TableList"] == []
    assert not [asked for asked in store.asked if asked.startswith("PUT")]


@pytest.mark.long
def test_a_run_that_ends_at_any_request_leaves_a_load_that_is_whole_and_the_next_one_mends(
    store: Gate, athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place, left, skip = place_of(zone), set[tuple[int, ...]](), 0
    for skip in range(20):
        write_load(place, ids_ago(0)[0], [OLD])
        _tidy(publication)
        store.clear()
        store.fail(Fault("denied", skip=skip, times=FOR_GOOD))
        try:
            write_load(place, ids_ago(0)[0], [NEW])
            _tidy(_anew(publication))
            break
        except (LandingError, OSError):
            store.clear()
        # A file that is named and gone would be an error here.
        read = athena.ids(place)
        left.add(tuple(read))
        assert bool(publication.wrong(place)) == (read != _current(zone))
        # As a run does that finds the month not modified.
        _tidy(publication)
        assert athena.ids(place) == _current(zone)
        assert publication.wrong(place) == ""
    # Two puts of the load, six requests to publish it and two for types that its record lacks, as
    # one of an earlier version does, and two deletions.
    assert skip == 12
    assert left == {(1, 2), (2, 3)}


@pytest.mark.parametrize("what", ["lost", "slow down"])
def test_an_answer_that_is_lost_or_throttled_is_asked_for_again(
    store: Gate, athena: Athena, zone: LandingZone, publication: Publication, what: str
) -> None:
    place = place_of(zone)
    land(place, OLD)
    store.fail(Fault(what, part="manifest"), Fault(what, part="PUT"), Fault(what, part="POST /"))

    publication.publish(place)

    assert athena.ids(place) == [1, 2]
    assert athena.columns() == {"id": "bigint"}


def test_a_run_that_is_late_does_not_put_an_older_load_in_the_place_of_a_newer_one(
    store: Gate, athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    land(place, OLD)
    publication.publish(place)
    late = read_manifest(athena.store.client, place)
    land(place, NEW)
    publication.publish(place)

    assert not late.replace(late.urls)

    assert athena.ids(place) == [2, 3]
    first = read_manifest(athena.store.client, place_of(zone, "2023-02"))
    assert first.replace(["s3://one"])
    assert not first.replace(["s3://other"])


def test_a_load_that_is_published_while_another_run_looks_for_the_current_one_stays(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place, other, looks = place_of(zone), _anew(publication), list[str]()
    write_load(place, ids_ago(60)[0], [OLD])
    publication.publish(place)
    write_load(place, ids_ago(30)[0], [[{"id": 7}]])

    class Late(LandedMonth):
        def whole(
            self, look: Listing | None = None, without: str | None = None
        ) -> tuple[Listing, Load | None]:
            found = super().whole(look, without)
            looks.append(found[0].newest or "")
            if len(looks) == 1:
                write_load(place, ids_ago(0)[0], [NEW])
                other.publish(place)
            return found

    publication.publish(Late(place.fs, place.dataset, place.source, place.table, place.month))

    assert len(looks) == 2
    assert athena.ids(place) == [2, 3]


def test_runs_of_a_month_at_once_end_with_the_newest_load(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    write_load(place, ids_ago(60)[0], [[{"id": 1}], [{"id": 2}]])
    _tidy(publication)
    read: list[list[str]] = []

    def write() -> None:
        own = _anew(publication)
        for _ in range(6):
            write_load(place, ids_ago(0)[0], [[{"id": 1}], [{"id": 2}]])
            _tidy(own)

    def look() -> None:
        while len(read) < 30:
            read.append(athena.named(place))

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(write), pool.submit(write), pool.submit(look)]:
            done.result()

    assert {len(files) for files in read} == {2}
    assert all(len({path.rsplit(".", 2)[0] for path in files}) == 1 for files in read)
    current = place.current_files()
    assert current is not None
    assert athena.named(place) == sorted(current.files)
    assert athena.ids(place) == [1, 2]


def test_a_load_that_is_discarded_is_not_read_any_more_when_it_goes(
    store: Gate, athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    land(place, OLD)
    ahead = ids_ago(-3600)[0]
    write_load(place, ahead, [[{"id": 9}]])
    publication.publish(place)
    assert athena.ids(place) == [9]
    store.clear()

    _tidy(publication, discard_load_id=ahead)

    assert athena.ids(place) == [1, 2]
    assert _first(store, "PUT") < _first(store, "DELETE")


def test_a_month_whose_only_load_is_discarded_is_read_as_none(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place, ahead = place_of(zone), ids_ago(-3600)[0]
    write_load(place, ahead, [[{"id": 9}]])
    publication.publish(place)

    _tidy(publication, discard_load_id=ahead)

    assert athena.named(place) == []


def test_a_dry_run_publishes_nothing(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    land(place_of(zone), OLD)

    _tidy(publication, dry_run=True)

    assert athena.named(place_of(zone)) == []


def test_a_restored_load_is_read(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    first = land(place, OLD)
    land(place, NEW)
    _tidy(publication, keep_loads=1)

    restore(place, first.load_id)
    _tidy(publication, keep_loads=1)

    assert athena.ids(place) == [1, 2]


def test_a_month_without_a_person_is_read_before_the_loads_with_the_person_go(
    store: Gate, athena: Athena, zone: LandingZone, warehouse: Warehouse
) -> None:
    place, table = place_of(zone), published_table(athena, subject="who")
    land(place, [{"id": 1, "who": "us"}, {"id": 2, "who": "them"}])
    Publication(table, zone).publish(place)
    store.clear()

    [*_] = Forgetting("them", zone, warehouse, [table], []).forget()

    assert athena.ids(place) == [1]
    assert _first(store, "PUT", "manifest") < _first(store, "DELETE")
    assert len(place.listing().files) == 1


def _first(store: Gate, method: str, part: str = "") -> int:
    return next(i for i, a in enumerate(store.asked) if a.startswith(method) and part in a)


def test_a_damaged_load_is_not_published(
    athena: Athena, zone: LandingZone, publication: Publication
) -> None:
    place = place_of(zone)
    land(place, OLD)
    _tidy(publication)
    new = land(place, NEW)
    [path] = [p for p in place.files_of_load(new.load_id) if p.endswith(".parquet")]
    place.fs.rm_file(path)

    with pytest.raises(DamagedLoadError, match="is missing"):
        _tidy(publication)

    assert athena.ids(place) == [1, 2]


def _asked(store: Gate, publication: Publication, months: list[str]) -> list[str]:
    """Land months again and tidy them in one run, and return what that asked."""
    places = [place_of(publication.zone, month) for month in months]
    for place in places:
        land(place, OLD)
        _tidy(_anew(publication), place.month)
    store.clear()
    own = _anew(publication)
    for place in places:
        land(place, NEW)
        _tidy(own, place.month)
    return [*store.asked]


def test_a_month_asks_for_two_requests_more_and_a_run_for_one(
    store: Gate, publication: Publication
) -> None:
    one = _asked(store, publication, [MONTH])
    client, bucket = store.client, publication.zone.url.split("/")[2]
    for number in range(120):
        month = f"{1950 + number // 12}-{number % 12 + 1:02d}"
        key = f"landing/demo/events/_symlink_format_manifest/month={month}/manifest"
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    three = _asked(store, publication, [MONTH, "2023-02", "2023-03"])

    of_glue = [asked for asked in one if asked.startswith("POST")]
    of_manifest = [asked for asked in one if "manifest/month" in asked]
    assert len(of_glue) == len([asked for asked in three if asked.startswith("POST")]) == 1
    assert [asked.split()[0] for asked in of_manifest] == ["GET", "PUT"]
    assert len(one) == 12 + 2 + 1
    assert len(three) == 3 * (12 + 2) + 1


def test_a_month_that_is_published_already_is_looked_at_and_not_written(
    store: Gate, zone: LandingZone, publication: Publication
) -> None:
    land(place_of(zone), OLD)
    publication.publish(place_of(zone))
    store.clear()

    _anew(publication).publish(place_of(zone))

    assert {asked.split()[0] for asked in store.asked} == {"GET", "POST"}
    # The manifest, two listings, the record; and the table.
    assert len(store.asked) == 5
