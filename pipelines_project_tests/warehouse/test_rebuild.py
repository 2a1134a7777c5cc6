"""A table is rebuilt from the landing zone: equal, at once, and without losing what was there."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.history import History
from pipelines_project.warehouse.loaders.loader import Loader
from pipelines_project.warehouse.loaders.merge_month import MergeMonth
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable
from pipelines_project.warehouse.rebuild import rebuild_table
from pipelines_project_tests.databases import tables_of
from pipelines_project_tests.landings import ids_ago, place_of, write_load, write_quarantined
from pipelines_project_tests.loaders import LoaderOf

pytestmark = pytest.mark.every_warehouse

MONTHS = ("2024-01", "2024-02")
REPLACE = ReplaceMonth(("id",))
LOADERS = [
    REPLACE,
    ReplaceTable(("id",)),
    MergeMonth("id"),
    History(("id",)),
    History(("id",), whole_months=True, version_column="updated_at"),
]


def _rows(month: str, *ids: int) -> list[dict[str, Any]]:
    at = datetime.fromisoformat(f"{month}-05").replace(tzinfo=UTC)
    return [{"id": n, "name": month, "updated_at": at} for n in ids]


def _land(landing: LandingZone) -> list[LandedMonth]:
    """Land two months, the second of which refused a line, and return them."""
    places = [place_of(landing, month) for month in MONTHS]
    write_load(places[0], ids_ago(60)[0], [_rows(MONTHS[0], 1, 2)])
    write_quarantined(places[1], ids_ago(50)[0], _rows(MONTHS[1], 2, 3), [{"line": "x"}])
    return places


def _held(warehouse: Warehouse) -> list[list[tuple[Any, ...]]]:
    tables = ("demo.events", "demo.events_quarantine", "ledger.loads")
    return [warehouse.rows(f"select * from {table} order by all") for table in tables]


def _rebuild(
    warehouse: Warehouse, landing: LandingZone, places: Sequence[LandedMonth], loader: Loader
) -> dict[str, int]:
    with warehouse.connect() as connection:
        built = rebuild_table(connection, places, loader)
    return {month: loaded.rows for month, loaded in built.items()}


def _load(
    warehouse: Warehouse, landing: LandingZone, places: Sequence[LandedMonth], loader: Loader
) -> None:
    with warehouse.connect() as connection:
        for place in places:
            load_month(connection, place, loader)


@pytest.mark.stack
@pytest.mark.parametrize("loader", LOADERS, ids=lambda each: type(each).__name__)
def test_a_rebuilt_table_is_what_loading_its_months_has_made(
    landing: LandingZone, warehouse: Warehouse, loader: Loader
) -> None:
    places = _land(landing)
    _load(warehouse, landing, places, loader)
    before = _held(warehouse)

    assert _rebuild(warehouse, landing, places, loader) == {"2024-01": 2, "2024-02": 2}

    assert _held(warehouse) == before
    assert tables_of(warehouse) == [
        ("demo", "events"),
        ("demo", "events_quarantine"),
        ("ledger", "loads"),
    ]


@pytest.mark.stack
@pytest.mark.parametrize(
    "harm",
    [
        "update demo.events set name = 'changed by hand'",
        "delete from demo.events",
        "insert into demo.events (month, id) values ('2023-12', 9)",
        "alter table demo.events drop column name",
        "drop table demo.events",
        "delete from ledger.loads",
    ],
)
def test_whatever_has_become_of_a_table_it_is_mended(
    landing: LandingZone, warehouse: Warehouse, harm: str
) -> None:
    places = _land(landing)
    _load(warehouse, landing, places, REPLACE)
    before = _held(warehouse)
    with warehouse.connect() as connection:
        connection.execute(harm)

    _rebuild(warehouse, landing, places, REPLACE)

    assert _held(warehouse) == before


@pytest.mark.stack
def test_a_table_without_history_gets_one(landing: LandingZone, warehouse: Warehouse) -> None:
    places = _land(landing)
    _load(warehouse, landing, places, ReplaceTable(("id",)))

    _rebuild(warehouse, landing, places, History(("id",), whole_months=True))

    versions = "select id, month, until_month from demo.events order by id, month"
    assert warehouse.rows(versions) == [
        (1, "2024-01", "2024-02"),
        (2, "2024-01", "2024-02"),
        (2, "2024-02", None),
        (3, "2024-02", None),
    ]


def test_readers_have_the_old_table_until_the_new_one_takes_its_place(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    places, read = _land(landing), list[tuple[Any, ...]]()
    _load(warehouse, landing, places[:1], REPLACE)

    with warehouse.connect() as connection, connection.cursor() as reader:

        def write(*arguments: Any) -> int:
            rows = REPLACE.write(*arguments)
            read.extend(reader.execute("select count(*) from warehouse.demo.events").fetchall())
            return rows

        rebuild_table(connection, places, LoaderOf(write, REPLACE.is_complete))
        after = reader.execute("select count(*) from warehouse.demo.events").fetchall()

    assert (read, after) == ([(2,), (2,)], [(4,)])


@pytest.mark.stack
def test_a_month_that_is_not_landed_any_more_is_not_lost(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    places = _land(landing)
    _load(warehouse, landing, places, REPLACE)
    before = _held(warehouse)

    with pytest.raises(WarehouseError, match="holds 2024-02, which the landing zone has no load"):
        _rebuild(warehouse, landing, places[:1], REPLACE)
    assert _held(warehouse) == before


@pytest.mark.stack
def test_merged_rows_that_no_load_has_any_more_are_not_lost(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    places, loader = _land(landing), MergeMonth("id")
    _load(warehouse, landing, places, loader)
    write_load(places[0], ids_ago(40)[0], [_rows(MONTHS[0], 2)])
    before = _held(warehouse)

    with pytest.raises(WarehouseError, match=r"no landed load has any more, .* id \[\(1,\)\]"):
        _rebuild(warehouse, landing, places, loader)
    assert _held(warehouse) == before


@pytest.mark.stack
def test_a_month_that_does_not_load_leaves_the_old_table(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    places = _land(landing)
    _load(warehouse, landing, places, REPLACE)
    before = _held(warehouse)
    write_load(places[1], ids_ago(40)[0], [_rows(MONTHS[1], 2, 2)])

    with pytest.raises(WarehouseError, match="rows with the same"):
        _rebuild(warehouse, landing, places, REPLACE)
    assert _held(warehouse) == before


_KILLED = """
import os, re, signal, sys
import duckdb
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.rebuild import rebuild_table

class Connection:
    # Passes everything on to a connection, and dies before a statement.
    def __init__(self, connection):
        self.connection = connection
    def __getattr__(self, name):
        if re.search(sys.argv[3], name):
            os.kill(os.getpid(), signal.SIGKILL)
        return getattr(self.connection, name)
    def execute(self, query, *parameters):
        if re.search(sys.argv[3], query):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.connection.execute(query, *parameters)

landing = LandingZone(url=sys.argv[1])
with Warehouse(url=sys.argv[2], data_url=sys.argv[4]).connect() as connection:
    months = [landing.month("demo", "events", month) for month in ("2024-01", "2024-02")]
    rebuild_table(Connection(connection), months, ReplaceMonth(("id",)))
"""


@pytest.mark.stack
@pytest.mark.parametrize("step", ["rename to", "insert into .*_rebuilt", "drop table if", "update"])
def test_a_rebuilding_that_is_killed_leaves_the_old_table_and_the_next_one_ends(
    landing: LandingZone, warehouse: Warehouse, step: str
) -> None:
    places = _land(landing)
    _load(warehouse, landing, places, REPLACE)
    before = _held(warehouse)[:2]

    command = [sys.executable, "-c", _KILLED, landing.url, warehouse.url, step, warehouse.data_url]
    root = Path(__file__).parents[2]
    killed = subprocess.run(command, cwd=root, env=os.environ, check=False, timeout=60)

    assert killed.returncode == -signal.SIGKILL
    assert _held(warehouse)[:2] == before
    _rebuild(warehouse, landing, places, REPLACE)
    assert _held(warehouse)[:2] == before
    assert warehouse.rows("select distinct source from ledger.loads") == [("demo",)]
