"""The ledger of a DuckLake is in its catalog, so that no load has to read a file of each other."""

from pathlib import Path

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project_tests.landings import MONTH, land, place_of
from pipelines_project_tests.marts.month_tables import MonthTables

pytestmark = pytest.mark.stack

_LOADS = "select month, load_id from ledger.loads order by all"


@pytest.fixture
def lake(tmp_path: Path) -> Warehouse:
    return Warehouse(f"ducklake:{tmp_path}/lake.ducklake", data_url=str(tmp_path / "lake"))


def _tables_with_files(tmp_path: Path) -> set[str]:
    """Return the folders of the lake's data that hold files, each of a table."""
    files = (tmp_path / "lake").rglob("*.parquet")
    return {file.parent.relative_to(tmp_path / "lake").as_posix() for file in files}


def test_loads_leave_no_file_but_those_of_their_rows(
    lake: Warehouse, landing: LandingZone, tmp_path: Path
) -> None:
    place, load_ids = place_of(landing), list[str]()
    for each in range(3):
        load_ids.append(land(place, [{"id": each}]).load_id)
        with lake.connect() as connection:
            load_month(connection, place, ReplaceMonth(("id",)))

    assert lake.rows(_LOADS) == [(MONTH, load_ids[-1])]
    assert _tables_with_files(tmp_path) == {"demo/events"}


def test_a_mart_by_month_leaves_no_file_but_those_of_its_rows(
    lake: Warehouse, tmp_path: Path
) -> None:
    tables = MonthTables(lake, tmp_path)
    mart = tables.mart("select month, n from demo.a")
    for month in ("2024-01", "2024-02"):
        tables.load("a", "n bigint", month, [(1,)])
        tables.build(mart, "2024-01", "2024-02")

    assert lake.rows("select count(*) from ledger.mart_months where month <> ''") == [(2,)]
    assert _tables_with_files(tmp_path) == {"demo/a", "demo_marts/by_month__new"}


def test_a_ledger_that_was_made_with_files_goes_on(
    lake: Warehouse, landing: LandingZone, tmp_path: Path
) -> None:
    with lake.connect() as connection:
        connection.execute("create schema ledger")
        connection.execute(
            "create table ledger.loads as select 'demo' as source, 'events' as table_name, "
            "'2020-12' as month, '1700000000.0' as load_id, 1 as row_count, "
            "null::varchar as content_hash, null::varchar as column_origins"
        )
    load_id = land(place_of(landing), [{"id": 1}]).load_id

    with lake.connect() as connection:
        load_month(connection, place_of(landing), ReplaceMonth(("id",)))

    assert lake.rows(_LOADS) == [("2020-12", "1700000000.0"), (MONTH, load_id)]
    assert len([*(tmp_path / "lake/ledger").rglob("*.parquet")]) == 1
