"""A month's current load gets into its table once, whole, and never in place of a newer one."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import LoadChangedError, Loaded, Loader, load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.landings import MONTH, ids_ago, land, place_of, write_load
from pipelines_project_tests.loaders import LoaderOf

pytestmark = pytest.mark.every_warehouse(lake_in_ci=True)

REPLACE = ReplaceMonth(("id",))


@pytest.fixture
def connection(warehouse: Warehouse, landing: LandingZone) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.connect() as connected:
        yield connected


@pytest.fixture
def load(connection: duckdb.DuckDBPyConnection, landing: LandingZone) -> Callable[..., Loaded]:
    """Loads the month's current load."""

    def load(loader: Loader = REPLACE, **options: bool) -> Loaded:
        return load_month(connection, place_of(landing), loader, **options)

    return load


def _before_writing(*actions: Callable[[], object]) -> Loader:
    """Return a loader before whose first writes the actions happen, one each."""
    waiting = iter(actions)

    def write(
        connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        next(waiting, lambda: None)()
        return REPLACE.write(connection, place, load, columns)

    return LoaderOf(write, REPLACE.is_complete)


def _ids(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    rows = connection.execute("select id from demo.events order by month, id").fetchall()
    return [row[0] for row in rows]


def _ledger(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    query = "select * exclude (content_hash, column_origins) from ledger.loads order by all"
    return connection.execute(query).fetchall()


def test_a_month_is_loaded_with_what_its_load_was(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    load_id = land(place_of(landing), [{"id": 1}, {"id": 2}]).load_id

    assert load() == Loaded(load_id, 2, skipped=False)
    assert _ids(connection) == [1, 2]
    assert _ledger(connection) == [("demo", "events", MONTH, load_id, 2)]
    query = "select distinct month, _dlt_load_id from demo.events"
    assert connection.execute(query).fetchall() == [(MONTH, load_id)]


def test_a_load_of_the_same_rows_writes_none_and_is_known_to_be_held(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    first, second = ids_ago(20, 10)
    write_load(place_of(landing), first, [[{"id": 1, "_dlt_load_id": first}, {"id": 2}]])
    content = load().content_hash
    write_load(place_of(landing), second, [[{"id": 2}], [{"id": 1, "_dlt_load_id": second}]])

    loaded = load(_before_writing(lambda: pytest.fail("rows are written")))

    assert loaded == Loaded(second, 2, skipped=False, unchanged=True)
    assert loaded.content_hash == content
    assert _ledger(connection) == [("demo", "events", MONTH, second, 2)]
    assert load().skipped


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": 1, "v": "a"}, {"id": 2, "v": "c"}],
        [{"id": 1, "v": "b"}, {"id": 2, "v": "a"}],
        [{"id": 1, "v": "a"}],
        [{"id": 1, "v": "a", "new": None}, {"id": 2, "v": "b", "new": None}],
        [{"id": 1.0, "v": "a"}, {"id": 2.0, "v": "b"}],
    ],
)
def test_a_load_with_another_value_row_column_or_type_is_written(
    landing: LandingZone, load: Callable[..., Loaded], rows: list[dict[str, Any]]
) -> None:
    first, second = ids_ago(20, 10)
    write_load(place_of(landing), first, [[{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]])
    load()
    write_load(place_of(landing), second, [rows])

    assert load() == Loaded(second, len(rows), skipped=False)


def test_a_load_of_the_same_rows_is_written_where_the_table_has_lost_some(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    first, second = ids_ago(20, 10)
    for load_id in (first, second):
        write_load(place_of(landing), load_id, [[{"id": 1}, {"id": 2}]])
        assert not load().unchanged
        connection.execute("delete from demo.events where id = 1")


def test_a_ledger_of_an_earlier_version_is_taken_over(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    first, second, third = ids_ago(30, 20, 10)
    write_load(place_of(landing), first, [[{"id": 1}]])
    load()
    connection.execute("alter table ledger.loads drop column content_hash")

    assert load() == Loaded(first, 1, skipped=True)
    for load_id, is_known in ((second, False), (third, True)):
        write_load(place_of(landing), load_id, [[{"id": 1}]])
        assert load() == Loaded(load_id, 1, skipped=False, unchanged=is_known)


def test_a_month_that_was_never_landed_is_an_error_that_says_so(
    load: Callable[..., Loaded],
) -> None:
    with pytest.raises(WarehouseError, match="demo/events 2023-01 was never landed"):
        load()


def test_a_load_whose_files_are_gone_is_an_error_and_the_rows_stay(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    place = place_of(landing)
    for load_id in ids_ago(20, 10):
        write_load(place, load_id, [[{"id": 1}]])
        load()
    current = place.current_files()
    assert current
    place.delete(current.files)

    with pytest.raises(DamagedLoadError, match=r"part0\.parquet is missing"):
        load()
    assert _ids(connection) == [1]


def _truncated(content: bytes) -> bytes:
    return content[:-1]


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _replaced(content: bytes) -> bytes:
    """Return another whole parquet file of the same size."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": [2]}), sink)
    other = sink.getvalue().to_pybytes()
    assert len(other) == len(content)
    return other


@pytest.mark.parametrize("harm", [_truncated, _flipped, _replaced])
def test_a_file_that_is_not_what_was_recorded_is_refused_by_its_name_and_the_rows_stay(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    load: Callable[..., Loaded],
    harm: Callable[[bytes], bytes],
) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(20)[0], [[{"id": 0}]])
    load()
    [current] = ids_ago(10)
    write_load(place, current, [[{"id": 1}]])
    file = Path(place.path, f"{current}.part0.parquet")
    file.write_bytes(harm(file.read_bytes()))

    with pytest.raises(DamagedLoadError, match="Land 2023-01 again") as refusal:
        load()

    for part in ("demo/events 2023-01", str(file)):
        assert part in str(refusal.value)
    assert _ids(connection) == [0]
    assert len(_ledger(connection)) == 1


def test_a_load_that_is_in_already_is_skipped(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    write_load(place_of(landing), ids_ago(10)[0], [[{"id": 1}, {"id": 2}]])
    first = load()

    def never() -> None:
        raise AssertionError("it was loaded again")

    again = load(_before_writing(never))

    assert again == Loaded(first.load_id, 2, skipped=True)
    assert _ids(connection) == [1, 2]


@pytest.mark.parametrize(
    "by_hand",
    ["delete from demo.events where id = 1", "insert into demo.events from demo.events limit 1"],
)
def test_a_load_whose_rows_were_changed_by_hand_is_loaded_again(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    load: Callable[..., Loaded],
    by_hand: str,
) -> None:
    write_load(place_of(landing), ids_ago(10)[0], [[{"id": 1}, {"id": 2}]])
    load()
    connection.execute(by_hand)

    assert not load().skipped
    assert _ids(connection) == [1, 2]


def test_a_table_that_was_dropped_by_hand_comes_back(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    write_load(place_of(landing), ids_ago(10)[0], [[{"id": 1}]])
    load()
    connection.execute("drop table demo.events")

    assert not load().skipped
    assert _ids(connection) == [1]


def test_an_older_load_never_replaces_a_newer_one_unless_it_is_told_to(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    place = place_of(landing)
    older, newer = ids_ago(20, 10)
    write_load(place, newer, [[{"id": "newer"}]])
    load()
    place.delete(place.files_of_load(newer))
    write_load(place, older, [[{"id": "older"}]])

    with pytest.raises(WarehouseError, match="replace_newer_load: true") as error:
        load()
    for part in (older, newer, "demo/events 2023-01"):
        assert part in str(error.value)
    assert _ids(connection) == ["newer"]

    assert load(replace_newer_load=True) == Loaded(older, 1, skipped=False)
    assert _ids(connection) == ["older"]
    assert [row[3] for row in _ledger(connection)] == [older]
    assert load().skipped


def test_a_month_that_is_landed_again_meanwhile_is_loaded_with_the_new_load(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    place = place_of(landing)
    old, new = ids_ago(20, 10)
    write_load(place, old, [[{"id": "old"}]])

    loaded = load(_before_writing(lambda: write_load(place, new, [[{"id": "new"}]])))

    assert loaded == Loaded(new, 1, skipped=False)
    assert _ids(connection) == ["new"]
    assert [row[3] for row in _ledger(connection)] == [new]


def test_files_that_go_between_listing_and_reading_are_listed_again(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    place = place_of(landing)
    old, new = ids_ago(20, 10)
    write_load(place, old, [[{"id": "old"}], [{"id": "old, too"}]])

    def rerun() -> None:
        write_load(place, new, [[{"id": "new"}]])
        place.delete(place.stale_files())

    assert load(_before_writing(rerun)).load_id == new
    assert _ids(connection) == ["new"]


def test_files_that_go_before_their_columns_are_read_are_listed_again(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    load: Callable[..., Loaded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = place_of(landing)
    old, new = ids_ago(20, 10)
    write_load(place, old, [[{"id": "old"}]])
    listed = LandedMonth.current_files

    def listed_and_gone(month: LandedMonth) -> Load | None:
        found = listed(month)
        if found and found.load_id == old:
            write_load(place, new, [[{"id": "new"}]])
            place.delete(place.stale_files())
        return found

    monkeypatch.setattr(LandedMonth, "current_files", listed_and_gone)

    assert load().load_id == new
    assert _ids(connection) == ["new"]


@pytest.mark.stack
def test_a_month_that_never_stands_still_is_an_error_and_the_old_rows_stay(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    load: Callable[..., Loaded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # tenacity waits with it; the waits between eight attempts would make a slow test.
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    place = place_of(landing)
    write_load(place, ids_ago(100)[0], [[{"id": "old"}]])
    load()
    later = [lambda ago=ago: write_load(place, ids_ago(ago)[0]) for ago in range(90, 60, -1)]
    write_load(place, ids_ago(99)[0])

    with pytest.raises(LoadChangedError, match="demo/events 2023-01 was landed again"):
        load(_before_writing(*later))
    assert _ids(connection) == ["old"]


def test_what_a_loader_raises_leaves_the_table_as_it_was(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    def refuse() -> None:
        raise WarehouseError("no")

    place = place_of(landing)
    write_load(place, ids_ago(20)[0], [[{"id": 1, "v": 1}]])
    load()
    shape = connection.execute("describe demo.events").fetchall()
    ledger = _ledger(connection)
    write_load(place, ids_ago(10)[0], [[{"id": 2, "v": "x", "w": 2}]])

    with pytest.raises(WarehouseError, match="no"):
        load(_before_writing(refuse))

    assert _ids(connection) == [1]
    assert _ledger(connection) == ledger
    assert connection.execute("describe demo.events").fetchall() == shape
    assert not load().skipped
    assert _ids(connection) == [2]


def test_a_view_where_the_table_belongs_is_named_and_stays(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, load: Callable[..., Loaded]
) -> None:
    write_load(place_of(landing), ids_ago(10)[0], [[{"id": 1}]])
    connection.execute("create schema demo")
    connection.execute("create view demo.events as select '2022-12' as month, 1 as id")

    with pytest.raises(WarehouseError, match=r"2023-01: .*events.* is a view"):
        load()

    assert _ids(connection) == [1]


def test_tables_and_sources_of_like_names_keep_their_own_rows_and_records(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    names = [("demo", "events"), ("demo", "events_extra"), ("demo_events", "extra")]
    for source, table in names:
        place = place_of(landing, table=table, source=source)
        write_load(place, ids_ago(10)[0], [[{"id": f"{source}.{table}"}]])
        assert not load_month(connection, place, REPLACE).skipped

    for source, table in names:
        rows = connection.execute(f"select id from {source}.{table}").fetchall()
        assert rows == [(f"{source}.{table}",)]
        place = place_of(landing, table=table, source=source)
        assert load_month(connection, place, REPLACE).skipped


@pytest.mark.stack
def test_months_that_load_at_once_all_get_in(warehouse: Warehouse, landing: LandingZone) -> None:
    months = [f"2023-{number:02d}" for number in range(1, 9)]
    for number, month in enumerate(months):
        write_load(place_of(landing, month), ids_ago(10)[0], [[{"id": number}]])

    def load(month: str) -> Loaded:
        with warehouse.connect() as connection:
            return load_month(connection, place_of(landing, month), REPLACE)

    with ThreadPoolExecutor(4) as threads:
        assert not any(loaded.skipped for loaded in threads.map(load, [*months]))

    assert warehouse.rows("select month, id from demo.events order by id") == [
        (month, number) for number, month in enumerate(months)
    ]
    assert len(warehouse.rows("from ledger.loads")) == 8


@pytest.mark.stack
def test_a_landing_zone_in_memory_is_loaded_too(warehouse: Warehouse) -> None:
    zone = LandingZone(url=f"memory://month-load-{os.getpid()}-{time.time()}")
    land(place_of(zone), [{"id": 1}])
    land(place_of(zone), [{"id": 2}, {"id": 3}])
    with warehouse.connect() as connection:
        assert load_month(connection, place_of(zone), REPLACE).rows == 2

        assert _ids(connection) == [2, 3]


_KILLED_BEFORE_THE_COMMIT = """
import os, signal, sys
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.loaders import LoaderOf

def write(connection, place, load, columns):
    replace = ReplaceMonth(("id",))
    assert replace.write(connection, place, load, columns) == 50_000
    os.kill(os.getpid(), signal.SIGKILL)

landing = LandingZone(url=sys.argv[1])
with Warehouse(url=sys.argv[2], data_url=sys.argv[3]).connect() as connection:
    place = landing.month("demo", "events", "2023-01")
    load_month(connection, place, LoaderOf(write, lambda *_: False))
"""


@pytest.mark.stack
def test_a_process_that_is_killed_before_the_commit_leaves_the_old_rows(
    warehouse: Warehouse, landing: LandingZone
) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(20)[0], [[{"id": 1, "v": 1}]])
    with warehouse.connect() as connection:
        load_month(connection, place, REPLACE)
        ledger = _ledger(connection)
    rows = [{"id": number, "v": "x", "w": 1} for number in range(50_000)]
    write_load(place, ids_ago(10)[0], [rows])

    places = [landing.url, warehouse.url, warehouse.data_url]
    command = [sys.executable, "-c", _KILLED_BEFORE_THE_COMMIT, *places]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False, timeout=60)

    assert killed.returncode == -9
    with warehouse.connect() as connection:
        assert _ids(connection) == [1]
        assert _ledger(connection) == ledger
        assert connection.execute("select v, typeof(v) from demo.events").fetchall() == [
            (1, "BIGINT")
        ]
        assert load_month(connection, place, REPLACE).rows == 50_000
        assert len(_ids(connection)) == 50_000
