"""Published marts: what the file holds, when it is written, and what stays where it cannot be."""

import threading
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.marts.published import NotPublishedError
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.marts.month_tables import MonthTables
from pipelines_project_tests.object_store import Gate


@pytest.fixture
def publishing(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    return replace(warehouse, published_url=str(tmp_path / "published"))


def _mart(folder: Path, sql: str) -> Mart:
    path = folder / "numbers.sql"
    path.write_text(sql)
    return Mart("demo", parse_model(path))


def _file(folder: Path) -> Path:
    return folder / "published" / "demo" / "numbers.parquet"


def _rows(path: Path) -> list[tuple[object, ...]]:
    return duckdb.read_parquet(str(path)).order("all").fetchall()


def test_a_mart_is_a_file_too_that_is_written_only_when_its_rows_change(
    publishing: Warehouse, tmp_path: Path
) -> None:
    build(publishing, _mart(tmp_path, "select unnest([1, 2]) as n"))
    first = _file(tmp_path).stat()

    build(publishing, _mart(tmp_path, "select unnest([2, 1]) as n"))
    unchanged = _file(tmp_path).stat()
    build(publishing, _mart(tmp_path, "select unnest([1, 3]) as n"))

    assert (unchanged.st_ino, unchanged.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert _rows(_file(tmp_path)) == [(1,), (3,)]
    assert [path.name for path in _file(tmp_path).parent.iterdir()] == ["numbers.parquet"]


def test_a_file_that_a_killed_run_did_not_write_follows_though_the_mart_is_unchanged(
    publishing: Warehouse, warehouse: Warehouse, tmp_path: Path
) -> None:
    mart = _mart(tmp_path, "select unnest([1, 2]) as n")
    build(publishing, mart)
    half_written = _file(tmp_path).with_name("numbers.parquet.0.new")
    half_written.write_text("half")
    mart = _mart(tmp_path, "select unnest([3, 4]) as n")
    build(warehouse, mart)

    assert build(publishing, mart).unchanged
    assert _rows(_file(tmp_path)) == [(3,), (4,)]
    assert not half_written.exists()


def test_a_damaged_file_is_written_anew(publishing: Warehouse, tmp_path: Path) -> None:
    mart = _mart(tmp_path, "select unnest([1, 2]) as n")
    build(publishing, mart)
    _file(tmp_path).write_bytes(b"PAR1")

    build(publishing, mart)

    assert _rows(_file(tmp_path)) == [(1,), (2,)]


def test_a_view_is_published_as_it_is_when_it_is_built(
    publishing: Warehouse, tmp_path: Path
) -> None:
    build(publishing, _mart(tmp_path, "-- materialized: view\nselect unnest([1, 2]) as n"))

    assert _rows(_file(tmp_path)) == [(1,), (2,)]


@pytest.mark.stack
def test_a_mart_by_month_is_published_whole(publishing: Warehouse, tmp_path: Path) -> None:
    tables = MonthTables(publishing, tmp_path)
    mart = tables.mart("select month, n from demo.a", "numbers")
    tables.load("a", "n integer", "2024-01", [(1,)])
    tables.build(mart, "2024-01")
    inode = _file(tmp_path).stat().st_ino
    tables.load("a", "n integer", "2024-01", [(1,)])
    tables.build(mart, "2024-01")
    assert _file(tmp_path).stat().st_ino == inode

    tables.load("a", "n integer", "2024-02", [(2,)])
    tables.build(mart, "2024-02")

    assert _rows(_file(tmp_path)) == [("2024-01", 1), ("2024-02", 2)]


def test_a_file_that_cannot_be_written_is_named_and_stays(
    publishing: Warehouse, tmp_path: Path
) -> None:
    build(publishing, _mart(tmp_path, "select unnest([1, 2]) as n"))
    blocked = replace(publishing, published_url=str(tmp_path / "numbers.sql"))

    with pytest.raises(NotPublishedError, match=r"numbers.* is built, .*numbers\.parquet"):
        build(blocked, _mart(tmp_path, "select 3 as n"))

    assert _rows(_file(tmp_path)) == [(1,), (2,)]
    assert publishing.rows("from demo_marts.numbers") == [(3,)]


@pytest.mark.stack
def test_who_reads_while_marts_are_built_has_the_old_rows_or_the_new(
    publishing: Warehouse, tmp_path: Path
) -> None:
    build(publishing, _mart(tmp_path, "select 0 as n, unnest(range(1000)) as m"))
    ended = threading.Event()
    seen: list[tuple[object, ...]] = []

    def read() -> None:
        with duckdb.connect() as connection:
            while not ended.is_set():
                query = f"select count(*), min(n), max(n) from '{_file(tmp_path)}'"
                seen.extend(connection.execute(query).fetchall())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 6):
        build(publishing, _mart(tmp_path, f"select {number} as n, unnest(range(1000)) as m"))
    ended.set()
    reader.join()

    assert {(rows, least == most) for rows, least, most in seen} == {(1000, True)}


@pytest.mark.stack
def test_an_object_store_has_the_file_by_one_put(
    warehouse: Warehouse, tmp_path: Path, store: Gate
) -> None:
    publishing = replace(warehouse, published_url=f"s3://{store.bucket()}/published")

    build(publishing, _mart(tmp_path, "select unnest([1, 2]) as n"))
    mart = _mart(tmp_path, "select unnest([1, 3]) as n")
    build(publishing, mart)

    file = mart.published(publishing)
    assert file
    local = tmp_path / "copy.parquet"
    file.fs.get_file(file.path, str(local))
    assert _rows(local) == [(1,), (3,)]
    file.delete()
    assert file.content is None
