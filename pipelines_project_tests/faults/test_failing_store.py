"""An S3 that throttles, is slow, or loses its answers leaves the old month or the new."""

from pathlib import Path

import pytest
from s3fs import S3FileSystem

from pipelines_project.landing.landed import Landed
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.landings import land, place_of, rows_of
from pipelines_project_tests.object_store import Fault, Gate

pytestmark = pytest.mark.stack

OLD, NEW = [{"id": 1}, {"id": 2}, {"id": 3}], [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]
FOR_GOOD = 10_000
# botocore's two, s3fs's two, and for a record again; and aiohttp's second if no answer comes.
MOST_TRIES = 2 * 2 * 2 * 2


@pytest.fixture
def zone(store: Gate, monkeypatch: pytest.MonkeyPatch) -> LandingZone:
    """A landing zone with the old month, in a bucket that botocore asks twice for anything."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    zone = LandingZone(url=f"s3://{store.bucket()}/landing")
    land(place_of(zone), OLD)
    store.clear()
    return zone


def _land_new(zone: LandingZone) -> Landed:
    place = place_of(zone)
    landed = land(place, NEW, verify=refuse_shrink)
    place.delete(place.stale_files())
    return landed


def _ids(zone: LandingZone) -> list[int]:
    return [row["id"] for row in rows_of(zone, place_of(zone).current_files())]


def _is_new_alone(zone: LandingZone) -> bool:
    return _ids(zone) == [1, 2, 3, 4] and len(place_of(zone).listing().files) == 1


@pytest.mark.parametrize("what", ["slow down", "lost", "cut"])
def test_every_request_may_fail_once(store: Gate, zone: LandingZone, what: str) -> None:
    for skip in range(12):
        store.clear()
        store.fail(Fault(what, skip=skip))
        _land_new(zone)
        assert _is_new_alone(zone)


@pytest.mark.parametrize("what", ["slow down", "lost"])
@pytest.mark.long
def test_a_store_that_fails_for_good_from_any_request_on_leaves_the_old_month_or_the_new(
    store: Gate, zone: LandingZone, what: str
) -> None:
    left: list[list[int]] = []
    # The first listing, the record, the file, the record, the look afterwards, and tidying.
    for skip in (0, 2, 3, 4, 5, 7, 10, 11):
        store.clear()
        store.fail(Fault(what, skip=skip, times=FOR_GOOD))
        with pytest.raises(Exception, match=r"SlowDown|reduce your request rate|onnection"):
            _land_new(zone)
        assert len(store.asked) <= skip + MOST_TRIES
        store.clear()
        left.append(_ids(zone))
        assert left[-1] in ([1, 2, 3], [1, 2, 3, 4])
        assert _land_new(zone)
        assert _is_new_alone(zone)
        land(place_of(zone), OLD)
        place_of(zone).delete(place_of(zone).stale_files())
    assert [1, 2, 3] in left
    assert [1, 2, 3, 4] in left


def test_a_record_that_cannot_be_read_now_is_not_taken_for_damaged(
    store: Gate, zone: LandingZone
) -> None:
    store.fail(Fault("slow down", ".json", times=8))

    with pytest.raises(OSError, match="reduce your request rate"):
        land(place_of(zone), [{"id": 1}], verify=refuse_shrink)

    store.clear()
    assert _ids(zone) == [1, 2, 3]


def test_a_slow_listing_is_waited_for_and_one_that_is_too_slow_asked_again(
    store: Gate, zone: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.fail(Fault("slow", "list-type", times=1))
    assert place_of(zone).current_files()
    assert len(store.asked) == 3

    monkeypatch.setattr(S3FileSystem, "read_timeout", 0.4)
    S3FileSystem.clear_instance_cache()
    again = LandingZone(url=zone.url)
    store.fail(Fault("slow", "list-type", times=1))
    assert place_of(again).current_files()
    assert len(store.asked) == 3 + 4


def test_a_big_file_whose_last_answer_is_lost_is_there_whole(
    store: Gate, zone: LandingZone, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"0" * (101 << 20))
    path = f"{place_of(zone).path}/big"
    store.fail(Fault("lost", "POST /", skip=1))

    zone.fs.put_file(str(big), path)

    zone.fs.get_file(path, str(tmp_path / "copy"))
    assert (tmp_path / "copy").stat().st_size == 101 << 20
    assert _ids(zone) == [1, 2, 3]


@pytest.mark.parametrize("what", ["slow down", "lost", "cut"])
def test_a_month_is_loaded_whole_or_not(
    store: Gate, zone: LandingZone, warehouse: Warehouse, what: str
) -> None:
    with warehouse.connect() as connection:
        for skip in range(6):
            store.clear()
            store.fail(Fault(what, skip=skip))
            connection.execute("drop schema if exists demo cascade")
            connection.execute("drop schema if exists ledger cascade")
            assert load_month(connection, place_of(zone), ReplaceMonth(("id",))).rows == 3
        store.clear()
        connection.execute("drop schema demo cascade")
        store.fail(Fault(what, ".parquet", times=FOR_GOOD))
        with pytest.raises(Exception, match=r"SlowDown|reduce|onnection|payload"):
            load_month(connection, place_of(zone), ReplaceMonth(("id",)))
        there = "select count(*) from information_schema.tables where table_schema = 'demo'"
        assert connection.execute(there).fetchall() == [(0,)]
