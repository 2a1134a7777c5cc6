"""What a warehouse's URL names, and what is said where it cannot be attached."""

import sys
from pathlib import Path

import duckdb
import pytest

from pipelines_project.extensions import load_extension
from pipelines_project.forget.remains import remove_what_was, rewrite
from pipelines_project.orchestration.warehouse_settings import warehouse_pool
from pipelines_project.warehouse.attachment import (
    Kind,
    attachment,
    kind_of,
    without_password,
)
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project_tests.object_store import Gate


@pytest.mark.parametrize(
    ("url", "kind", "target", "has_many_writers"),
    [
        ("data/warehouse.duckdb", Kind.FILE, "data/warehouse.duckdb", False),
        ("postgres:dbname=dw host=db", Kind.POSTGRES, "dbname=dw host=db", True),
        ("postgresql://db/dw", Kind.POSTGRES, "postgresql://db/dw", True),
        ("postgres://db/dw", Kind.POSTGRES, "postgres://db/dw", True),
        ("postgres:postgresql://db/dw", Kind.POSTGRES, "postgresql://db/dw", True),
        ("ducklake:data/lake.ducklake", Kind.LAKE, "data/lake.ducklake", False),
        ("ducklake:postgres:dbname=dw", Kind.LAKE, "postgres:dbname=dw", True),
        ("ducklake:postgresql://db/dw", Kind.LAKE, "postgres:postgresql://db/dw", True),
    ],
)
def test_a_url_names_a_file_ducklake_or_postgresql(
    monkeypatch: pytest.MonkeyPatch, url: str, kind: Kind, target: str, has_many_writers: bool
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", url)
    monkeypatch.setenv("WAREHOUSE_DATA_URL", "data/lake")

    found = attachment(url, "data/lake")

    assert (found.kind, found.target) == (kind, target)
    assert found.has_many_writers == has_many_writers
    assert warehouse_pool() == (None if has_many_writers else "warehouse")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "a database that stays"),
        (":memory:", "a database that stays"),
        ("ducklake:postgres:dbname=dw", "WAREHOUSE_DATA_URL does not say where"),
        ("ducklake:sqlite:lake.sqlite", "ducklake:postgres:…"),
        ("ducklake:", "ducklake:postgres:…"),
    ],
)
def test_a_url_that_is_not_enough_is_refused_by_the_setting(url: str, said: str) -> None:
    with pytest.raises(WarehouseError, match="WAREHOUSE_URL") as refusal:
        Warehouse(url).rows("select 1")
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("ducklake:lake.ducklake", "duckdb_extension_ducklake", "lake"),
        ("ducklake:lake.ducklake", "duckdb_extension_httpfs", "lake"),
        ("ducklake:postgres:", "duckdb_extension_postgres_scanner", "lake"),
        ("postgres:", "duckdb_extension_postgres_scanner", "postgres"),
        ("postgres:", "duckdb_extensions", "postgres"),
    ],
)
def test_an_extension_that_is_not_installed_is_named_with_the_extra_that_has_it(
    monkeypatch: pytest.MonkeyPatch, url: str, missing: str, extra: str
) -> None:
    # What Python does for a module that is not there.
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(WarehouseError, match="is not installed") as refusal:
        Warehouse(url, data_url="s3://lake/data").rows("select 1")
    assert missing in str(refusal.value)
    assert f"python -m pip install -c constraints.txt -e '.[{extra}]'" in str(refusal.value)


def test_no_password_is_in_an_error_of_a_database_that_does_not_answer(tmp_path: Path) -> None:
    for url in (
        f"postgres:host={tmp_path} user=u password=s3cret",
        f"postgres:host={tmp_path} user=u password='s3 cret'",
        f"postgresql://u:s3cret@/dw?host={tmp_path}",
    ):
        with pytest.raises(WarehouseError, match="cannot open the warehouse") as refusal:
            Warehouse(url).rows("select 1")
        assert "s3" not in str(refusal.value)
        assert refusal.value.__cause__ is None
        assert refusal.value.__context__ is None


def test_what_is_no_password_stays() -> None:
    text = "host=db password=*** user=u postgresql://db/dw s3://bucket@x"
    assert without_password(text) == text


def test_a_lake_is_a_file_and_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Warehouse(f"ducklake:{tmp_path}/lake.ducklake", data_url="data")
    with lake.connect() as connection:
        assert kind_of(connection) is Kind.LAKE
        connection.execute("create table kept as select 7 as n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert [*(tmp_path / "data").rglob("*.parquet")]
    assert Warehouse(lake.url).rows("from kept") == [(7,)]


def test_a_lake_keeps_its_data_wherever_fsspec_can_write(tmp_path: Path) -> None:
    url = f"memory://lake-{tmp_path.name}"
    lake = Warehouse(f"ducklake:{tmp_path}/lake.ducklake", data_url=url)
    with lake.connect() as connection:
        connection.execute("create table kept as select 7 as n")

    assert lake.rows("from kept") == [(7,)]


def test_a_lake_that_could_not_be_attached_is_attached_by_trying_again(tmp_path: Path) -> None:
    url = f"memory://lake-{tmp_path.name}"
    catalog = tmp_path / "not_yet" / "lake.ducklake"
    lake = attachment(f"ducklake:{catalog}", url)
    with duckdb.connect() as connection:
        load_extension(connection, "ducklake")
        with pytest.raises(duckdb.Error, match="not_yet"):
            lake.attach(connection, url)
        catalog.parent.mkdir()
        lake.attach(connection, url)

        assert kind_of(connection) is Kind.LAKE


def test_a_data_url_that_is_none_is_refused_by_the_setting(tmp_path: Path) -> None:
    lake = Warehouse(f"ducklake:{tmp_path}/lake.ducklake", data_url="nowhere://lake")
    with pytest.raises(WarehouseError, match="WAREHOUSE_DATA_URL is 'nowhere://lake'"):
        lake.rows("select 1")


@pytest.mark.stack
def test_a_lake_in_s3_is_written_read_and_rid_of_what_was_deleted(
    store: Gate, tmp_path: Path
) -> None:
    bucket = store.bucket()
    lake = Warehouse(f"ducklake:{tmp_path}/lake.ducklake", data_url=f"s3://{bucket}/data")
    with lake.connect() as connection:
        connection.execute("create schema demo")
        connection.execute("create table demo.kept as select range as n from range(3)")
        connection.execute("delete from demo.kept where n = 1")
    with lake.connect() as connection:
        rewrite(connection, "demo", "kept")
        remove_what_was(connection)

    assert lake.rows("select n from demo.kept order by n") == [(0,), (2,)]
    listed = store.client.list_objects_v2(Bucket=bucket)["Contents"]
    assert len([each for each in listed if each["Key"].startswith("data/demo/")]) == 1
