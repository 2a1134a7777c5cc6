"""A month in an S3 bucket: landed, read, tidied, restored and loaded; and what that asks of it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.read_files import readable
from pipelines_project.landing.restore import restore
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.merge_month import MergeMonth
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    write_load,
    write_quarantined,
)
from pipelines_project_tests.object_store import Gate

pytestmark = pytest.mark.stack

MOST_REQUESTS = 12


@pytest.fixture
def zone(store: Gate) -> LandingZone:
    """An empty landing zone in a bucket of its own."""
    return LandingZone(url=f"s3://{store.bucket()}/landing")


def _paths(store: Gate, zone: LandingZone) -> list[str]:
    """Return the keys of the bucket."""
    bucket = zone.url.split("/")[2]
    pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def test_a_rerun_month_replaces_only_its_own_files(store: Gate, zone: LandingZone) -> None:
    place, other = place_of(zone), place_of(zone, "2023-02")
    land(other, [{"id": 0}])
    land(place, [{"id": 1}])

    again = land(place, [{"id": 1}, {"id": 2}], verify=refuse_shrink)
    place.delete(place.stale_files())

    assert [row["id"] for row in rows_of(zone, place.current_files())] == [1, 2]
    assert [row["id"] for row in rows_of(zone, other.current_files())] == [0]
    assert zone.months("demo", "events") == [MONTH, "2023-02"]
    of_month = [path for path in _paths(store, zone) if f"month={MONTH}" in path]
    assert len(of_month) == 2
    assert all(again.load_id in path for path in of_month)
    assert again.uri == f"{zone.url}/demo/events/month={MONTH}"


def test_the_rows_and_the_quarantine_of_a_month_are_loaded(
    zone: LandingZone, warehouse: Warehouse
) -> None:
    place = place_of(zone)
    write_quarantined(place, ids_ago(1)[0], [{"id": 1}, {"id": 2}], [{"line": "{"}])

    with warehouse.connect() as connection:
        loaded = load_month(connection, place, ReplaceMonth(("id",)))
        query = "select id, month from demo.events order by all"
        assert connection.execute(query).fetchall() == [(1, MONTH), (2, MONTH)]
        refused = connection.execute("select line from demo.events_quarantine").fetchall()
    assert (loaded.rows, refused) == (2, [("{",)])


def test_a_merged_month_is_known_to_be_whole(zone: LandingZone, warehouse: Warehouse) -> None:
    place = place_of(zone)
    land(place, [{"id": 1, "updated_at": "2023-01-02T00:00:00Z"}])

    with warehouse.connect() as connection:
        assert not load_month(connection, place, MergeMonth("id")).skipped
        assert load_month(connection, place, MergeMonth("id")).skipped
        connection.execute("delete from demo.events")
        assert not load_month(connection, place, MergeMonth("id")).skipped
        assert connection.execute("select count(*) from demo.events").fetchall() == [(1,)]


def test_a_kept_load_is_restored(zone: LandingZone) -> None:
    place = place_of(zone)
    first = land(place, [{"id": 1}, {"id": 2}])
    land(place, [{"id": 3}])

    restore(place, first.load_id)
    place.delete(place.stale_files(keep_loads=1))

    assert [row["id"] for row in rows_of(zone, place.current_files())] == [1, 2]
    assert len(place.listing().committed) == 2


def test_a_file_with_another_content_is_named(zone: LandingZone) -> None:
    place = place_of(zone)
    write_load(place, ids_ago(1)[0])
    load = place.current_files()
    assert load is not None
    content = place.fs.cat_file(load.files[0], start=0)
    place.fs.pipe_file(load.files[0], content[:-1] + b"\0")

    with pytest.raises(DamagedLoadError, match="sha256"), readable(place, load):
        pass


def test_a_file_of_several_parts_is_what_was_written(
    store: Gate, zone: LandingZone, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        for number in range(101):
            file.write(bytes([number]) * 2**20)
    path = f"{place_of(zone).path}/big"

    zone.fs.put_file(str(big), path)
    zone.fs.get_file(path, str(tmp_path / "copy"))

    assert any("uploadId" in asked for asked in store.asked)
    assert (tmp_path / "copy").read_bytes() == big.read_bytes()


def test_overlapping_writers_and_readers_see_whole_months(zone: LandingZone) -> None:
    place = place_of(zone)
    write_load(place, ids_ago(60)[0], [[{"id": 1}], [{"id": 2}]])
    seen: list[list[int]] = []

    def write() -> None:
        for _ in range(8):
            write_load(place, ids_ago(0)[0], [[{"id": 1}], [{"id": 2}]])
            place.delete(place.stale_files())

    def read() -> None:
        while len(seen) < 15:
            load = place.current_files()
            assert load is not None
            with suppress(FileNotFoundError), readable(place, load) as here:
                seen.append([pq.read_metadata(path).num_rows for path in here.files])

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(write), pool.submit(write), pool.submit(read)]:
            done.result()

    assert seen == [[1, 1]] * len(seen)
    place.delete(place.stale_files())
    assert len(place.listing().files) == 1
    assert [row["id"] for row in rows_of(zone, place.current_files())] == [1, 2]


def test_a_bucket_that_is_not_there_is_named_and_not_made(store: Gate) -> None:
    place = place_of(LandingZone(url="s3://no-such-bucket/landing"))
    asked = False

    def extract(*_: object) -> None:
        nonlocal asked
        asked = True

    with pytest.raises(LandingError, match=r"no-such-bucket/.*LANDING_URL: .*does not exist"):
        land_month(place, extract, refuse_shrink)  # pyright: ignore[reportArgumentType]

    assert not asked
    assert "no-such-bucket" not in str(store.client.list_buckets()["Buckets"])


def _asked(store: Gate, zone: LandingZone, month: str) -> tuple[list[str], list[str]]:
    """Land and tidy a month that is landed; return what that asked, and all keys of the bucket."""
    place = place_of(zone, month)
    land(place, [{"id": 1}])
    store.asked.clear()
    land(place, [{"id": 1}, {"id": 2}], verify=refuse_shrink)
    place.delete(place.stale_files())
    return [*store.asked], _paths(store, zone)


def test_a_month_costs_at_most_twelve_requests_whatever_else_is_there(
    store: Gate, zone: LandingZone
) -> None:
    alone, _ = _asked(store, zone, MONTH)
    client, bucket = store.client, zone.url.split("/")[2]
    for number in range(1000):
        month = f"{1900 + number // 12}-{number % 12 + 1:02d}"
        key = f"landing/demo/events/month={month}/_1.{number}.json"
        client.put_object(Bucket=bucket, Key=key, Body=b"{}")

    among_many, paths = _asked(store, zone, "2023-02")

    assert len(paths) > 1000
    assert len(alone) == len(among_many) == MOST_REQUESTS


def test_a_month_that_is_loaded_is_asked_for_once(
    store: Gate, zone: LandingZone, warehouse: Warehouse
) -> None:
    place = place_of(zone)
    load_id = land(place, [{"id": 1}]).load_id
    store.asked.clear()

    with warehouse.connect() as connection:
        load_month(connection, place, ReplaceMonth(("id",)))

    # Two listings of its folder and its quarantine's, the record, and the file.
    assert len(store.asked) == 6
    assert len([asked for asked in store.asked if f"/{load_id}." in asked]) == 1
