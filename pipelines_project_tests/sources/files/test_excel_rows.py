"""Excel files land by what their cells hold, not by how they look."""

import sys
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines_project_tests.file_rows import MONTH, FileLander

_FILES = "%Y-%m/*.xlsx"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def lander(tmp_path: Path) -> FileLander:
    return FileLander(tmp_path)


def _write(
    lander: FileLander, *rows: list[Any], sheets: tuple[str, ...] = (), name: str = "a.xlsx"
) -> Path:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    for title in sheets:
        book.create_sheet(title).append(["of", title])
    path = lander.write("", name, MONTH)
    book.save(path)
    return path


def test_cells_keep_their_types(lander: FileLander) -> None:
    _write(
        lander,
        ["id", "number text", "big", "share", "paid", "day", "at", "time", "mixed", "none"],
        [
            1,
            "007",
            12345678901,
            0.25,
            True,
            date(2024, 1, 31),
            _at("2024-01-31T10:30:00"),
            time(10, 30),
            5,
            None,
        ],
        [2, "8", -3, 2, False, date(2024, 2, 1), _at("2024-02-01T00:00:00"), None, "x", None],
    )

    landed = lander.land(_FILES)

    assert landed.types == {
        "id": "int64",
        "number_text": "string",
        "big": "int64",
        "share": "double",
        "paid": "bool",
        "day": "date32[day]",
        "at": "timestamp[us]",
        "time": "string",
        "mixed": "string",
        "none": "string",
    }
    assert [[*row.values()] for row in landed.rows.to_pylist()] == [
        [
            1,
            "007",
            12345678901,
            0.25,
            True,
            date(2024, 1, 31),
            _at("2024-01-31T10:30:00"),
            "10:30:00",
            "5",
            None,
        ],
        [2, "8", -3, 2.0, False, date(2024, 2, 1), _at("2024-02-01T00:00:00"), None, "x", None],
    ]


def test_blank_rows_are_no_rows_and_merged_cells_have_their_value_once(lander: FileLander) -> None:
    path = _write(lander, ["id", "v"], [1, "x"], [], [2, "merged"], [3, None], [])
    book = openpyxl.load_workbook(path)
    sheet: Any = book.active
    sheet.merge_cells("B4:B5")
    book.save(path)

    landed = lander.land(_FILES, provenance=True)

    assert [(row["source_line"], row["v"]) for row in landed.rows.to_pylist()] == [
        (2, "x"),
        (4, "merged"),
        (5, None),
    ]
    assert landed.details["lines_read"] == 3


@pytest.mark.stack
def test_a_sheet_a_row_and_a_range_may_be_named(lander: FileLander) -> None:
    _write(
        lander, ["Report"], [], [None, "id", "v", "beside"], [None, 1, "x", "y"], sheets=("Two",)
    )

    assert lander.land(_FILES, start_row=3).rows.to_pylist() == [{"id": 1, "v": "x", "beside": "y"}]
    assert lander.land(_FILES, cells="B3:C").rows.to_pylist() == [{"id": 1, "v": "x"}]
    assert lander.land(_FILES, sheet="Two", before={}).rows.column_names == ["of", "two"]
    assert "2024-01/a.xlsx has no sheet 'Three'; there are Sheet, Two" in lander.error(
        _FILES, sheet="Three"
    )


def test_a_column_without_a_header_is_named_by_its_letters(lander: FileLander) -> None:
    _write(lander, ["id", None, None], [1, "x", None])

    assert lander.land(_FILES).rows.to_pylist() == [{"id": 1, "column_b": "x"}]


def test_declared_types_and_bad_rows_are_as_in_other_files(lander: FileLander) -> None:
    _write(lander, ["id", "amount"], [1, 1.5], [2, "n/a"])

    landed = lander.land(_FILES, types={"amount": "decimal(12,2)"}, on_bad_row="quarantine")

    assert landed.refused == [
        ("2024-01/a.xlsx", 3, '{"id":2,"amount":"n/a"}', "'n/a' in amount is no decimal(12,2)")
    ]


def test_a_cell_of_spaces_is_text_where_the_file_says_that_they_count(lander: FileLander) -> None:
    path = _write(lander, ["id", "v"], [1, " "], [2, " x "])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    # As Excel itself writes it; openpyxl leaves it out of a cell of spaces alone.
    parts[sheet] = parts[sheet].replace(b"<t> </t>", b'<t xml:space="preserve"> </t>')

    assert lander.land(_FILES).column("v") == [None, " x "]
    with zipfile.ZipFile(path, "w") as book:
        for name, part in parts.items():
            book.writestr(name, part)
    assert lander.land(_FILES).column("v") == [" ", " x "]


@pytest.mark.stack
@pytest.mark.parametrize("data", [b"", b"id,v\n1,x\n", b"PK\x03\x04 and no more"])
def test_what_is_no_excel_file_is_named_and_changes_nothing(
    lander: FileLander, data: bytes
) -> None:
    _write(lander, ["id"], [1])
    lander.land(_FILES)
    lander.write(data, "b.xlsx")

    assert "2024-01/b.xlsx is no Excel file that can be read" in lander.error(_FILES)


def test_a_missing_package_is_named_with_the_extra_that_has_it(
    lander: FileLander, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(lander, ["id"], [1])
    monkeypatch.setitem(sys.modules, "python_calamine", None)

    assert "pip install -c constraints.txt -e '.[excel]'" in lander.error(_FILES)
