"""The generator of raw files writes what it is asked for, the same every time."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.sandbox import raw_files

_ROOT = Path(__file__).parents[2]


def _write(monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str) -> None:
    monkeypatch.setattr(sys, "argv", ["raw_files", "--folder", str(folder), *options])
    raw_files.main()


def _files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_every_month_has_its_files_and_every_file_its_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write(monkeypatch, tmp_path, "--months", "2023-12...2024-01", "--files", "2", "--rows", "7")

    files = _files(tmp_path)
    names = [f"{month}/part-000{n}.jsonl" for month in ("2023-12", "2024-01") for n in (1, 2)]
    rows = {name: [json.loads(line) for line in data.splitlines()] for name, data in files.items()}
    assert [*files] == names
    assert {len(lines) for lines in rows.values()} == {7}
    assert len({row["event_id"] for lines in rows.values() for row in lines}) == 28
    assert all(row["created_at"][:7] == name[:7] for name in names for row in rows[name])


@pytest.mark.stack
def test_the_same_seed_writes_the_same_files_and_another_one_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        _write(monkeypatch, tmp_path / name, "--seed", seed)

    assert _files(tmp_path / "a") == _files(tmp_path / "b") != _files(tmp_path / "c")


@pytest.mark.parametrize("bad", [0, 1, 3, 10])
def test_so_many_rows_are_bad_as_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bad: int
) -> None:
    _write(monkeypatch, tmp_path, "--rows", "10", "--bad-rows", str(bad), "--months", "2024-01")

    for data in _files(tmp_path).values():
        assert [_is_json(line) for line in data.splitlines()].count(False) == bad


def test_new_data_is_the_next_file_of_the_last_month(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write(monkeypatch, tmp_path)
    before = _files(tmp_path)
    for _ in range(2):
        _write(monkeypatch, tmp_path, "--months", "2024-02", "--new-data")

    after = _files(tmp_path)
    new = {"2024-02/part-0003.jsonl", "2024-02/part-0004.jsonl"}
    assert after.keys() - before.keys() == new
    assert before.items() <= after.items()
    assert len({after[name] for name in new}) == 2


def test_comma_separated_files_have_a_header_and_as_many_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write(monkeypatch, tmp_path, "--format", "csv", "--months", "2024-01", "--rows", "4")

    for name, data in _files(tmp_path).items():
        header, *rows = data.decode().splitlines()
        assert name.endswith(".csv")
        assert header.startswith("event_id,event,created_at")
        assert len(rows) == 4


def test_the_committed_sample_is_what_the_command_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write(monkeypatch, tmp_path)

    committed = _files(_ROOT / "data" / "raw" / "synthetic_data")
    assert {name: committed[name] for name in _files(tmp_path)} == _files(tmp_path)


def _wide_rows(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str
) -> list[dict[str, Any]]:
    _write(monkeypatch, folder, "--months", "2024-01", "--files", "1", *options)
    [data] = _files(folder).values()
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize(
    "columns", [5, 9, pytest.param(1000, marks=[pytest.mark.stack, pytest.mark.long])]
)
def test_wide_rows_have_as_many_columns_as_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: int
) -> None:
    # A sparse column of few rows may have no value at all.
    options = ("--rows", "9", "--columns", str(columns), "--kinds", "ints,text,mixed,nested")
    rows = _wide_rows(monkeypatch, tmp_path / "a", *options)
    _write(monkeypatch, tmp_path / "b", "--months", "2024-01", "--files", "1", *options)

    assert len({name for row in rows for name in row}) == columns
    assert len({row["event_id"] for row in rows}) == 9
    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_each_kind_of_column_has_its_kind_of_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kinds = ["ints", "text", "mixed", "long", "nested", "sparse"]
    options = ("--columns", "9", "--rows", "2000", "--value-bytes", "5000", "--levels", "3")
    rows = _wide_rows(monkeypatch, tmp_path, "--kinds", ",".join(kinds), *options)

    values = {
        kind: [row[f"{kind}_{n + 1}"] for row in rows if f"{kind}_{n + 1}" in row]
        for n, kind in enumerate(kinds)
    }
    assert {type(value) for value in values["ints"]} == {int}
    assert max(map(len, values["text"])) == 5000
    assert {type(value) for value in values["mixed"]} == {int, float, bool, str}
    assert min(values["long"]) >= 2**64
    assert all(row["level_1"]["level_2"]["level_3"] >= 0 for row in values["nested"])
    assert 0 < len(values["sparse"]) < 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--columns", "4"], "between 5 and 1000"),
        (["--columns", "9", "--value-bytes", "9999"], "between 1 and 5120"),
        (["--columns", "9", "--kinds", "ints,dates"], "dates"),
        (["--columns", "9", "--format", "csv"], "JSON lines"),
        (["--months", "2024-13"], "2024-13"),
        (["--rows", "0"], "less than 1"),
        (["--rows", "5", "--bad-rows", "6"], "--bad-rows 6"),
        (["--format", "xml"], "xml"),
    ],
)
def test_a_wrong_option_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    options: list[str],
    said: str,
) -> None:
    with pytest.raises(SystemExit):
        _write(monkeypatch, tmp_path, *options)

    assert said in capsys.readouterr().err
    assert _files(tmp_path) == {}


@pytest.mark.stack
def test_the_command_shows_its_progress(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines_project.sandbox.raw_files"]
    asked = subprocess.run(
        [*command, "--folder", str(tmp_path)], cwd=_ROOT, capture_output=True, text=True, check=True
    )

    assert "100%" in asked.stderr
    assert asked.stdout == f"6 files of 50 rows in {tmp_path}\n"
