"""Wide tables load within the budget of DuckDB, or the error says which setting to raise."""

import duckdb
import pyarrow as pa
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import Loader, load_month
from pipelines_project.warehouse.loaders.merge_month import MergeMonth
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.memory import lean
from pipelines_project_tests.landings import ids_ago, place_of, write_load

_REPLACE = ReplaceMonth(("id",))


def _wide(columns: int, rows: int = 4_000, prefix: str = "c") -> pa.Table:
    texts = {f"{prefix}{n}": [f"{n} {row}" * 5 for row in range(rows)] for n in range(columns)}
    return pa.table({"id": range(rows), "updated_at": range(rows), **texts})


def _load(
    warehouse: Warehouse,
    landing: LandingZone,
    month: str,
    table: pa.Table,
    loader: Loader = _REPLACE,
    ago: int = 0,
) -> None:
    place = place_of(landing, month)
    write_load(place, ids_ago(ago)[0], [table])
    with warehouse.connect() as connection:
        load_month(connection, place, loader)


@pytest.mark.stack
@pytest.mark.long
@pytest.mark.parametrize("loader", [_REPLACE, MergeMonth("id")])
def test_a_table_of_hundreds_of_columns_loads_again_with_hundreds_of_others(
    warehouse: Warehouse, landing: LandingZone, loader: Loader
) -> None:
    for ago in (20, 10):
        _load(warehouse, landing, "2023-01", _wide(300), loader, ago)
    others = _wide(300, rows=50, prefix="other").set_column(0, "id", pa.array(range(9_000, 9_050)))
    _load(warehouse, landing, "2023-02", others, loader)

    assert warehouse.rows("select count(*), count(c299), count(other299) from demo.events") == [
        (4_050, 4_000, 50)
    ]


@pytest.mark.stack
@pytest.mark.long
def test_a_load_whose_width_asks_for_too_little_is_tried_with_the_whole_budget(
    warehouse: Warehouse, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines_project.warehouse.memory._COLUMN_BYTES", 0)
    monkeypatch.setattr("pipelines_project.warehouse.memory.THREAD_BYTES", 30_000_000)
    _load(warehouse, landing, "2023-01", _wide(300))

    assert warehouse.rows("select count(*) from demo.events") == [(4_000,)]


@pytest.mark.stack
def test_a_load_that_the_budget_cannot_hold_names_the_settings_and_changes_nothing(
    warehouse: Warehouse, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(warehouse, landing, "2023-01", _wide(2, rows=1), ago=10)
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "30MB")

    with pytest.raises(WarehouseError) as error:
        _load(warehouse, landing, "2023-02", _wide(300))

    message = str(error.value)
    for part in (
        "2023-02",
        '"demo"."events"',
        "DUCKDB_MEMORY_LIMIT (now 30MB",
        "DUCKDB_THREADS is 1",
    ):
        assert part in message
    assert isinstance(error.value.__cause__, duckdb.Error)
    monkeypatch.delenv("DUCKDB_MEMORY_LIMIT")
    assert warehouse.rows("select month, id, c1 from demo.events") == [("2023-01", 0, "1 0" * 5)]


def test_a_narrow_load_takes_little_of_a_large_budget_and_a_wide_one_what_its_columns_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "8GB")
    monkeypatch.setenv("DUCKDB_THREADS", "2")

    assert lean(12).memory < 400_000_000
    assert (lean(12).threads, lean(1000).threads) == (2, 1)
    assert 2_000_000_000 < lean(1000).memory < 3_000_000_000
