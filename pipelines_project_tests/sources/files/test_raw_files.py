"""Which raw files there are, which month each belongs to, and how a change of one shows."""

import os
import time
from pathlib import Path

import pytest

from pipelines_project.sources.files.file_format import checked_jsonl_template
from pipelines_project.sources.files.raw_files import (
    RawFile,
    RawFolder,
    checked_template,
    fingerprint,
)
from pipelines_project.sources.http.api_calls import SourceError

TEMPLATE = "events/%Y-%m/*.jsonl*"


def _write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("{}\n")


def _paths(files: list[RawFile]) -> list[str]:
    return [file.path for file in files]


def test_a_month_has_the_files_that_fit_the_template_in_order(tmp_path: Path) -> None:
    _write(tmp_path, *(f"events/2024-01/{name}.jsonl" for name in "ba"), "events/2024-01/c.csv")
    _write(
        tmp_path, "events/2024-02/a.jsonl.gz", "other/2024-01/a.jsonl", "events/2024-01/x/a.jsonl"
    )
    folder = RawFolder(str(tmp_path), TEMPLATE)

    assert _paths(folder.files("2024-01")) == ["events/2024-01/a.jsonl", "events/2024-01/b.jsonl"]
    assert _paths(folder.files("2024-02")) == ["events/2024-02/a.jsonl.gz"]
    assert folder.files("2024-03") == []
    assert folder.files_by_month() == {m: folder.files(m) for m in ("2024-01", "2024-02")}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("%Y/%m/*.jsonl", "2024/01/a.jsonl"),
        ("%Y/%Y-%m/*.jsonl", "2024/2024-01/a.jsonl"),
        ("events-%Y%m*.jsonl", "events-20240131.jsonl"),
        ("%m.%Y/[ab]?.jsonl", "01.2024/a1.jsonl"),
        ("events/**/%Y-%m.jsonl", "events/x/y/2024-01.jsonl"),
        ("a+b (%Y-%m)/*.jsonl", "a+b (2024-01)/x.jsonl"),
    ],
)
def test_the_template_may_name_the_month_anywhere(tmp_path: Path, template: str, path: str) -> None:
    _write(tmp_path, path, path.replace("2024", "202x"))
    folder = RawFolder(str(tmp_path), checked_template(template))

    assert _paths(folder.files("2024-01")) == [path]
    assert {month: _paths(files) for month, files in folder.files_by_month().items()} == {
        "2024-01": [path]
    }


def test_a_path_that_names_two_months_belongs_to_none(tmp_path: Path) -> None:
    _write(tmp_path, "2023/2024-01/a.jsonl")

    assert RawFolder(str(tmp_path), "%Y/%Y-%m/*.jsonl").files_by_month() == {}


def test_a_part_of_the_path_is_a_column_and_is_the_same_wherever_it_is_named(
    tmp_path: Path,
) -> None:
    _write(tmp_path, "region=north/2024-01/north.csv", "region=south/2024-01/north.csv")
    folder = RawFolder(str(tmp_path), checked_template("region=%{region}/%Y-%m/%{region}.csv"))

    [file] = folder.files("2024-01")
    assert file.path == "region=north/2024-01/north.csv"
    assert folder.values(file) == {"region": "north"}
    assert _paths(folder.files_by_month()["2024-01"]) == [file.path]


def test_a_path_without_a_month_is_the_same_in_every_month(tmp_path: Path) -> None:
    _write(tmp_path, "all.csv", "other.csv")
    folder = RawFolder(str(tmp_path), checked_template("all.csv"))

    assert not folder.names_month
    assert _paths(folder.files("2024-01")) == _paths(folder.files("2024-02")) == ["all.csv"]


@pytest.mark.parametrize("template", ["%{Region}/%Y-%m/*", "%{}/%Y-%m/*", "%{a b}.csv"])
def test_a_part_of_the_path_that_is_no_name_of_a_column_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="is no column"):
        checked_template(template)


def test_hidden_files_and_folders_are_no_raw_files(tmp_path: Path) -> None:
    _write(tmp_path, "events/2024-01/.a.jsonl.Xy12", "events/2024-01/.b.jsonl")
    (tmp_path / "events/2024-01/c.jsonl").mkdir()

    assert RawFolder(str(tmp_path), TEMPLATE).files("2024-01") == []


@pytest.mark.parametrize(
    "template",
    [
        "",
        "events/*.jsonl",
        "events/%Y/*.jsonl",
        "%Y-%m-%d/*",
        "/data/%Y-%m/*",
        "../%Y-%m/*",
        "%Y%m%",
    ],
)
def test_a_template_that_does_not_name_the_month_or_leads_out_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"%Y and %m|leads out|is empty"):
        checked_jsonl_template(template)


@pytest.mark.parametrize(
    "template", ["%Y-%m/*.csv", "%Y-%m.CSV.gz", "t/%Y/%m/*.parquet", "%Y-%m/*.xlsx", "%Y-%m/a.xml*"]
)
def test_a_template_that_names_files_of_another_format_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"(csv|parquet|xlsx|xml) files, which are no JSON lines"):
        checked_jsonl_template(template)


@pytest.mark.parametrize("template", ["%Y-%m/*", "csv/%Y-%m/*.json", "%Y-%m.csv.d/*.log.zst"])
def test_any_other_name_may_hold_lines(template: str) -> None:
    assert checked_jsonl_template(template) == template


def test_a_root_that_is_not_there_is_an_error_and_not_no_files(tmp_path: Path) -> None:
    folder = RawFolder(str(tmp_path / "gone"), TEMPLATE)

    for look in (folder.files_by_month, lambda: folder.files("2024-01")):
        with pytest.raises(SourceError, match="RAW_URL"):
            look()


def test_a_fingerprint_tells_every_change_of_the_files(tmp_path: Path) -> None:
    folder = RawFolder(str(tmp_path), TEMPLATE)
    path = tmp_path / "events/2024-01/a.jsonl"

    def state() -> str:
        return fingerprint(folder.files("2024-01"))

    seen = [state()]
    _write(tmp_path, "events/2024-01/a.jsonl")
    seen.append(state())
    assert state() == seen[-1]
    os.utime(path, (1, 1))
    seen.append(state())
    path.write_text("[]\n")
    os.utime(path, (1, 1))
    # Size and time are what they were.
    seen.append(state())
    path.rename(path.with_name("b.jsonl"))
    seen.append(state())

    assert len(set(seen)) == len(seen)


@pytest.mark.stack
def test_ten_thousand_files_are_listed_in_less_than_a_second(tmp_path: Path) -> None:
    for month in range(1, 11):
        folder = tmp_path / f"events/2024-{month:02d}"
        folder.mkdir(parents=True)
        for number in range(1000):
            (folder / f"{number}.jsonl").touch()
    folder = RawFolder(str(tmp_path), TEMPLATE)

    started = time.process_time()
    months = folder.files_by_month()
    for files in months.values():
        fingerprint(files)

    assert sum(map(len, months.values())) == 10_000
    assert time.process_time() - started < 1
