"""The files of `versions/` are in order, without gaps, and refused by name otherwise."""

from pathlib import Path

import pytest

from pipelines_project.warehouse.versions.files import read_versions

DROP = "alter table shop.orders drop column a"


def _write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, sql in files.items():
        (folder / f"{name.lstrip('v')}.sql").write_text(sql)
    return folder


def test_a_source_without_the_folder_has_none(tmp_path: Path) -> None:
    assert read_versions(tmp_path / "versions", "shop") == ()


def test_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    other = DROP.replace("column a", "column b")
    folder = _write(tmp_path / "versions", v002_drop_b=other, v001_drop_a=DROP)

    versions = read_versions(folder, "shop")

    assert [(version.number, version.name) for version in versions] == [
        (1, "001_drop_a.sql"),
        (2, "002_drop_b.sql"),
    ]


def test_ends_of_lines_do_not_make_another_version(tmp_path: Path) -> None:
    folder = _write(tmp_path / "versions", v001_drop=f"-- why\n{DROP}\n")
    [before] = read_versions(folder, "shop")
    (folder / "001_drop.sql").write_bytes(f"-- why\r\n{DROP}\r\n".encode())

    [after] = read_versions(folder, "shop")

    assert after.checksum == before.checksum


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["001_a", "003_b"], "003_b.sql: there is no version 002 before it"),
        (["002_a"], "002_a.sql: there is no version 001 before it"),
        (["000_a"], "000_a.sql: there is no version 001 before it"),
        (["001_a", "001_b"], "001_b.sql: 001_a.sql has the number 001 too"),
        (["1_a"], "1_a.sql: the files of versions/ are named 001_<what_changes>.sql"),
        (["001_Drop"], "001_Drop.sql: the files of versions/ are named"),
        (["001"], "001.sql: the files of versions/ are named"),
        (["001_a", "notes"], "notes.sql: the files of versions/ are named"),
    ],
)
def test_a_wrong_name_is_refused_with_the_file(
    tmp_path: Path, files: list[str], reason: str
) -> None:
    statements = [DROP.replace("column a", f"column a{n}") for n, _ in enumerate(files)]
    folder = _write(tmp_path / "versions", **dict(zip(files, statements, strict=True)))

    with pytest.raises(ValueError, match=reason):
        read_versions(folder, "shop")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("-- nothing yet", "002_b.sql: there is no statement in it"),
        ("update shop.orders set a = 1", "002_b.sql: UPDATE shop.orders SET a = 1: only these"),
        (DROP, "002_b.sql: the column a was renamed or dropped before"),
    ],
)
def test_a_wrong_statement_is_refused_with_the_file(tmp_path: Path, sql: str, reason: str) -> None:
    folder = _write(tmp_path / "versions", v001_a=DROP, v002_b=sql)

    with pytest.raises(ValueError, match=reason):
        read_versions(folder, "shop")
