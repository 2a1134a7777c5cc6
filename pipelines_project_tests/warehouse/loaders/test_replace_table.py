"""A snapshot's table has the rows of the newest snapshot, in whatever order months are loaded."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import duckdb
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import UnfitMonthError, Warehouse
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.loaders.replace_table import ReplaceTable
from pipelines_project_tests.landings import ids_ago, place_of, write_load

pytestmark = pytest.mark.every_warehouse

SNAPSHOTS: dict[str, list[dict[str, Any]]] = {
    "2023-01": [{"id": 1}, {"id": 2}],
    "2023-02": [{"id": 2}],
    "2023-03": [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}],
}
NEWEST = [("2023-03", 2), ("2023-03", 3)]


@pytest.fixture
def connection(warehouse: Warehouse, landing: LandingZone) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.connect() as connected:
        yield connected


def _load(connection: duckdb.DuckDBPyConnection, landing: LandingZone, month: str) -> Loaded:
    return load_month(connection, place_of(landing, month), ReplaceTable(("id",)))


def _rows(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute("select month, id from demo.events order by all").fetchall()


@pytest.mark.parametrize("order", [*permutations(SNAPSHOTS)])
def test_the_newest_snapshot_stays_in_whatever_order_months_are_loaded(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, order: tuple[str, ...]
) -> None:
    for month, rows in SNAPSHOTS.items():
        write_load(place_of(landing, month), ids_ago(0)[0], [rows])

    loaded = [_load(connection, landing, month).rows for month in order]

    assert loaded == [len(SNAPSHOTS[month]) for month in order]
    assert _rows(connection) == NEWEST
    assert all(_load(connection, landing, month).skipped for month in order)


def test_rows_that_the_ledger_does_not_know_are_replaced(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    write_load(place_of(landing, "2023-03"), ids_ago(0)[0], [SNAPSHOTS["2023-03"]])
    _load(connection, landing, "2023-03")
    connection.execute("insert into demo.events by name select '2023-01' as month, 9 as id")

    assert not _load(connection, landing, "2023-03").skipped
    assert _rows(connection) == NEWEST


def test_a_snapshot_with_a_key_twice_is_refused_and_the_one_before_stays(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone
) -> None:
    write_load(place_of(landing, "2023-03"), ids_ago(0)[0], [SNAPSHOTS["2023-03"]])
    _load(connection, landing, "2023-03")
    write_load(place_of(landing, "2023-04"), ids_ago(0)[0], [[{"id": 1}, {"id": 1}]])

    with pytest.raises(UnfitMonthError, match=r"2023-04: rows with the same \('id',\)"):
        _load(connection, landing, "2023-04")
    assert _rows(connection) == NEWEST
