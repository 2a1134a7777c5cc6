"""An empty database is made whole, or not at all."""

import os
from pathlib import Path

import duckdb
import pytest

from pipelines_project.warehouse.database_file import make_database_file


def test_a_file_that_is_there_stays_as_it_is_and_what_a_killed_process_left_goes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "it's [mine].duckdb"
    left = [tmp_path / f"{path.name}.{name}.new" for name in ("one", "two")]
    for each in left:
        each.write_bytes(b"cut off")
    (tmp_path / "other.duckdb.one.new").write_text("not mine")

    make_database_file(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t as select 1 as n")
    before = path.read_bytes()
    left[0].write_bytes(b"cut off")
    make_database_file(path)

    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {path.name, "other.duckdb.one.new"}


def test_a_file_that_another_process_makes_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "w.duckdb", os.link

    def late(new: Path, name: Path) -> None:
        path.write_text("another's")
        link(new, name)

    monkeypatch.setattr(os, "link", late)
    make_database_file(path)

    assert path.read_text() == "another's"
    assert [*tmp_path.iterdir()] == [path]


def test_without_links_the_file_is_left_to_duckdb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    make_database_file(tmp_path / "deep" / "w.duckdb")

    assert [*(tmp_path / "deep").iterdir()] == []
