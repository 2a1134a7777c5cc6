"""An extension's signature is checked before its code is in the process, and not again."""

from pathlib import Path

import duckdb
import pytest

from pipelines_project import extensions
from pipelines_project.extensions import load_extension, trusted
from pipelines_project.warehouse.database import Warehouse

_SETTING = "select current_setting('allow_unsigned_extensions')"


def test_only_what_was_loaded_before_is_loaded_without_a_look_at_its_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extensions, "_loaded", set[str]())
    before = trusted("ducklake")
    with duckdb.connect() as connection:
        load_extension(connection, "ducklake")

    assert before == {}
    assert trusted("ducklake") == {"allow_unsigned_extensions": True}
    assert trusted("ducklake", "postgres_scanner") == {}
    with duckdb.connect(config={**trusted("ducklake")}) as connection:
        load_extension(connection, "ducklake")
        assert connection.execute("select 1 from duckdb_extensions() where loaded").fetchall()


def test_a_lake_is_attached_with_a_look_at_signatures_the_first_time_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extensions, "_loaded", set[str]())
    lake = Warehouse(url=f"ducklake:{tmp_path / 'lake.ducklake'}", data_url=str(tmp_path / "data"))

    assert [lake.rows(_SETTING) for _ in range(2)] == [[(False,)], [(True,)]]


def test_a_file_which_needs_no_extension_allows_none_without_a_signature(tmp_path: Path) -> None:
    assert Warehouse(url=str(tmp_path / "warehouse.duckdb")).rows(_SETTING) == [(False,)]
