"""CSV files land exactly: types told by every row, bad rows named, every line accounted for."""

import bz2
import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines_project.landing.look import look
from pipelines_project.sources.files import rows as files_rows
from pipelines_project.sources.files.careful_landing import careful_landing
from pipelines_project.sources.files.month_rows import Landed, MonthRows, opened_rows
from pipelines_project.sources.files.parts import Reading
from pipelines_project.sources.files.quick_landing import quick_landing
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.files.rows import file_rows, reading_of
from pipelines_project.sources.files.settings import CsvDialect, FileSettings
from pipelines_project_tests.file_rows import MONTH, FileLander


@pytest.fixture
def lander(tmp_path: Path) -> FileLander:
    return FileLander(tmp_path)


def _column(lander: FileLander, *values: str) -> tuple[str, list[Any]]:
    lander.write("id,v\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    landed = lander.land()
    return landed.types["v"], landed.column("v")


@pytest.mark.parametrize("values", [["007", "8"], ["+49171", "12"], ["12345678901234567890"]])
def test_what_only_looks_like_a_number_stays_text(lander: FileLander, values: list[str]) -> None:
    assert _column(lander, *values) == ("string", values)


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        (["1", "-20", ""], "int64", [1, -20, None]),
        (["1.10", "-22.50"], "decimal128(18, 2)", [Decimal("1.10"), Decimal("-22.50")]),
        (["1.10", "1.5"], "string", ["1.10", "1.5"]),
        (["1.25", "1.5", "3"], "double", [1.25, 1.5, 3.0]),
        (["9007199254740993", "0.5"], "string", ["9007199254740993", "0.5"]),
        (["-0.00", "1.10"], "string", ["-0.00", "1.10"]),
        (["true", "false"], "bool", [True, False]),
        (["True", "false"], "string", ["True", "false"]),
        (["2024-01-31", "2024-02-01"], "date32[day]", [date(2024, 1, 31), date(2024, 2, 1)]),
        (["2024-01-31", "2024-02-30"], "string", ["2024-01-31", "2024-02-30"]),
        (["2024-01-31 10:00:00"], "timestamp[us]", [datetime.fromisoformat("2024-01-31T10:00:00")]),
        (
            ["2024-01-31T10:00:00.120Z"],
            "timestamp[us, tz=UTC]",
            [datetime(2024, 1, 31, 10, 0, 0, 120000, UTC)],
        ),
        (
            ["2024-01-31 10:00:00.000120000"],
            "timestamp[us]",
            [datetime.fromisoformat("2024-01-31T10:00:00.000120")],
        ),
        (["2024-01-31 10:00:00.000120000", "2024-01-31 10:00:00.000120001"], "string", None),
        (["2024-01-31T10:00:00Z", "2024-01-31 10:00:00"], "string", None),
        (["2024-01-31T24:00:00Z"], "string", None),
        (["123456789012345678901.25"], "decimal128(38, 2)", [Decimal("123456789012345678901.25")]),
        (["", ""], "string", [None, None]),
        (["nan"], "string", ["nan"]),
    ],
)
def test_a_type_is_told_only_if_it_says_what_every_text_says(
    lander: FileLander, values: list[str], type_: str, expected: list[Any] | None
) -> None:
    assert _column(lander, *values) == (type_, values if expected is None else expected)


def test_a_value_far_behind_the_first_rows_decides_on_the_type(lander: FileLander) -> None:
    late = 30_000
    lines = [f"{n},,{n}" for n in range(late)]
    lander.write("id,late,v\n" + "\n".join([*lines, f"{late},5,x"]) + "\n")

    landed = lander.land()

    assert landed.types == {"id": "int64", "late": "int64", "v": "string"}
    assert landed.column("v")[-2:] == [str(late - 1), "x"]
    assert landed.column("late")[-2:] == [None, 5]


def test_files_with_other_columns_and_contradicting_types_are_united(lander: FileLander) -> None:
    lander.write("id,v\n1,5\n", "a.csv")
    lander.write("v,id,new\nx,2,true\n", "b.csv")

    landed = lander.land()

    assert landed.rows.to_pylist() == [
        {"id": 1, "v": "5", "new": None},
        {"id": 2, "v": "x", "new": True},
    ]
    assert landed.details["lines_read"] == 2


def test_names_that_fall_together_keep_columns_of_their_own(lander: FileLander) -> None:
    lander.write("@timestamp,Col 0 (int),a b,A B,A B,\nx,1,2,3,4,5\n")

    [row] = lander.land().rows.to_pylist()

    assert list(row.values()) == ["x", 1, 2, 3, 4, 5]
    assert all(name == name.lower() and " " not in name for name in row)


def test_an_unquoted_empty_field_is_null_and_a_quoted_one_is_empty(lander: FileLander) -> None:
    lander.write('id,v\n1,\n2,""\n3,NULL\n4,"NULL"\n')

    landed = lander.land(csv=CsvDialect(nulls=("", "NULL")))

    assert landed.column("v") == [None, "", None, "NULL"]


_BAD = """id,name
1,"two
lines"
2
3,a,b

4,"never closed
5,"closed"late
6,fine
"""
_REASONS = [
    ("2024-01/a.csv", 4, "2", "1 fields, not 2"),
    ("2024-01/a.csv", 5, "3,a,b", "3 fields, not 2"),
    ("2024-01/a.csv", 7, '4,"never closed', "something beside a quoted field"),
    ("2024-01/a.csv", 8, '5,"closed"late', "something beside a quoted field"),
]


def test_bad_rows_fail_the_month_and_are_named_with_file_and_line(lander: FileLander) -> None:
    lander.write("id,name\n1,a\n")
    lander.land()
    lander.write(_BAD)

    said = lander.error()

    for file, line, _, reason in _REASONS:
        assert f"{file} line {line}: {reason}" in said
    assert "on_bad_row: quarantine" in said


def test_bad_rows_are_quarantined_as_they_are(lander: FileLander) -> None:
    lander.write(_BAD)

    landed = lander.land(on_bad_row="quarantine", provenance=True)

    assert landed.rows.to_pylist() == [
        {"source_file": "2024-01/a.csv", "source_line": 2, "id": 1, "name": "two\nlines"},
        {"source_file": "2024-01/a.csv", "source_line": 9, "id": 6, "name": "fine"},
    ]
    assert landed.refused == _REASONS
    assert (landed.details["lines_read"], landed.details["lines_quarantined"]) == (6, 4)


@pytest.mark.stack
def test_one_bad_row_in_many_is_named_by_its_line(lander: FileLander) -> None:
    lines = [f"{n},v{n}" for n in range(100_000)]
    lines[77_776] = "77776"
    lander.write("id,v\n" + "\n".join(lines) + "\n")

    assert "2024-01/a.csv line 77778: 1 fields, not 2" in lander.error()
    assert len(lander.land(on_bad_row="quarantine").rows) == 99_999


def test_a_month_of_which_no_row_fits_is_refused(lander: FileLander) -> None:
    lander.write("id,name\n1\n2\n")

    assert "not one row of receipts fits" in lander.error(on_bad_row="quarantine")


def test_a_row_that_is_not_utf8_is_bad_and_is_kept_byte_by_byte(lander: FileLander) -> None:
    lander.write(b"id,name\n1,M\xfcller\n2,x\n")

    assert "2024-01/a.csv line 2: not UTF-8" in lander.error()
    [bad] = lander.land(on_bad_row="quarantine").quarantined
    assert bad["line_bytes"] == b"1,M\xfcller"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_files_are_read_in_their_encoding(lander: FileLander, encoding: str) -> None:
    lander.write("id,größe\n1,Müller\n".encode(encoding))

    landed = lander.land(csv=CsvDialect(encoding=encoding))

    assert [*landed.rows.to_pylist()[0].values()] == [1, "Müller"]
    assert landed.rows.column_names[0] == "id"


def test_a_wrong_encoding_is_an_error_that_names_file_and_line(lander: FileLander) -> None:
    lander.write("id,name\n1,a\n2,Müller\n".encode())

    assert "2024-01/a.csv line 3 is not ascii" in lander.error(csv=CsvDialect(encoding="ascii"))


@pytest.mark.stack
@pytest.mark.parametrize(
    ("name", "packed"),
    [("a.csv.gz", gzip.compress), ("a.csv.bz2", bz2.compress), ("a.csv.zst", None)],
)
def test_compressed_files_are_read_and_a_truncated_one_is_named(
    lander: FileLander, name: str, packed: Any
) -> None:
    data = b"id,v\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 1000) for n in range(5_000))
    squeezed = packed(data) if packed else pa.compress(data, "zstd", asbytes=True)
    if not packed:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(data)
        squeezed = sink.getvalue().to_pybytes()
    path = lander.write(squeezed, name)
    assert len(lander.land("%Y-%m/*.csv.*").rows) == 5_000

    path.write_bytes(squeezed[: len(squeezed) // 2])

    assert f"cannot read 2024-01/{name}" in lander.error("%Y-%m/*.csv.*")


def test_a_file_of_another_filesystem_is_read(lander: FileLander) -> None:
    fs, _ = fsspec.url_to_fs("memory://files")
    fs.pipe_file("/files/2024-01/a.csv", b"id,v\n1,x\n")

    landed = lander.land(url="memory://files")

    assert landed.rows.to_pylist() == [{"id": 1, "v": "x"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_they_like(lander: FileLander, end: str) -> None:
    lander.write(end.join(["id,v", "1,x", '2,"y"', ""]).encode())

    assert lander.land().rows.to_pylist() == [{"id": 1, "v": "x"}, {"id": 2, "v": "y"}]


def test_another_delimiter_is_a_setting_and_is_not_overlooked(lander: FileLander) -> None:
    lander.write("id;amount\n1;2,50\n")

    assert "set delimiter to ';'" in lander.error()
    landed = lander.land(csv=CsvDialect(delimiter=";"))
    assert landed.rows.to_pylist() == [{"id": 1, "amount": "2,50"}]


def test_tsv_files_have_tabs(lander: FileLander) -> None:
    lander.write("id\tv\n1\ta,b\n", "a.tsv")

    landed = lander.land("%Y-%m/*.tsv", csv=CsvDialect(delimiter="\t"))

    assert landed.rows.to_pylist() == [{"id": 1, "v": "a,b"}]


def test_files_without_a_header_have_the_names_that_are_given(lander: FileLander) -> None:
    lander.write("1,x\n2,y\n")

    landed = lander.land(csv=CsvDialect(columns=("id", "v")), provenance=True)

    assert landed.column("source_line") == [1, 2]
    assert landed.column("v") == ["x", "y"]


def test_a_header_may_go_over_several_lines(lander: FileLander) -> None:
    lander.write('"id\nof row",v\n\n1,x\n')

    landed = lander.land(provenance=True)

    assert [[*row.values()] for row in landed.rows.to_pylist()] == [["2024-01/a.csv", 4, 1, "x"]]


def test_a_byte_order_mark_is_no_part_of_the_first_value(lander: FileLander) -> None:
    lander.write(b"\xef\xbb\xbf1,x\n")

    landed = lander.land(csv=CsvDialect(columns=("id", "v")))

    assert landed.rows.to_pylist() == [{"id": 1, "v": "x"}]


def test_a_file_without_rows_has_its_columns_and_an_empty_one_has_none(lander: FileLander) -> None:
    lander.write("id,v\n", "a.csv")
    lander.write("", "b.csv")

    landed = lander.land()

    assert (landed.rows.column_names, len(landed.rows)) == (["id", "v"], 0)


def test_the_header_may_stand_further_down(lander: FileLander) -> None:
    lander.write("Report of January\n\nid,v\n1,x\n")

    landed = lander.land(start_row=3, provenance=True)

    assert landed.rows.to_pylist() == [
        {"source_file": "2024-01/a.csv", "source_line": 4, "id": 1, "v": "x"}
    ]


def test_declared_types_take_what_they_hold_and_refuse_the_rest(lander: FileLander) -> None:
    lander.write("id,amount,day\n007,1.5,31.01.2024\n8,1.125,01.02.2024\n9,2,2024-01-01\nx,1,\n")
    types = {"id": "bigint", "amount": "decimal(12,2)", "day": "date(%d.%m.%Y)"}

    landed = lander.land(types=types, on_bad_row="quarantine")

    assert landed.rows.to_pylist() == [
        {"id": 7, "amount": Decimal("1.50"), "day": date(2024, 1, 31)}
    ]
    assert [(line, reason) for _, line, _, reason in landed.refused] == [
        (3, "'1.125' in amount is no decimal(12,2)"),
        (4, "'2024-01-01' in day is no date(%d.%m.%Y)"),
        (5, "'x' in id is no bigint"),
    ]


def test_a_declared_column_that_is_not_there_is_an_error(lander: FileLander) -> None:
    lander.write("id,v\n1,x\n")

    assert "no file of receipts has the column w: there are id, v" in lander.error(
        types={"w": "date"}
    )


_ALL = "id,day\n1,2024-01-05\n2,2024-02-01\n3,2024-01-31\n4,soon\n5,\n6,2023-12-31\n"


@pytest.mark.stack
def test_a_file_of_all_months_is_split_by_a_date(lander: FileLander) -> None:
    (lander.raw / "all.csv").write_text(_ALL.replace("4,soon\n5,\n", ""))

    january = lander.land("all.csv", month_column="day")
    february = lander.land("all.csv", month="2024-02", month_column="day")

    assert (january.column("id"), february.column("id")) == ([1, 3], [2])
    assert january.types["day"] == "date32[day]"
    assert (january.details["lines_read"], january.details["lines_of_other_months"]) == (4, 2)


@pytest.mark.stack
def test_rows_without_a_readable_date_are_bad_in_every_month(lander: FileLander) -> None:
    (lander.raw / "all.csv").write_text(_ALL)

    years = "is no date of the years 1900 to 2199"
    assert f"all.csv line 5: 'soon' in day {years}; all.csv line 6: null in day {years}" in (
        lander.error("all.csv", month_column="day")
    )
    for month, ids in {"2024-01": [1, 3], "2024-02": [2], "2023-12": [6]}.items():
        landed = lander.land("all.csv", month=month, month_column="day", on_bad_row="quarantine")
        assert landed.column("id") == ids
        assert [line for _, line, _, _ in landed.refused] == [5, 6]
        details = landed.details
        assert details["lines_read"] == len(ids) + 2 + details["lines_of_other_months"] == 6


@pytest.mark.parametrize("day", ["02.01.24", "04.01.1024", "04.01.2402"])
def test_a_row_with_a_mistyped_year_is_bad_instead_of_in_no_month(
    lander: FileLander, day: str
) -> None:
    (lander.raw / "all.csv").write_text(f"id,day\n1,05.01.2024\n2,{day}\n")

    said = lander.error("all.csv", month_column="day", types={"day": "date(%d.%m.%Y)"})

    assert f"all.csv line 3: '{day}' in day is no date" in said


def test_a_year_of_two_digits_is_no_year_of_four(lander: FileLander) -> None:
    lander.write("id,day\n1,05.01.2024\n2,05.01.24\n")

    said = lander.error(types={"day": "date(%d.%m.%Y)"})

    assert "line 3: '05.01.24' in day is no date(%d.%m.%Y)" in said


def test_a_fixed_path_must_have_its_file(lander: FileLander) -> None:
    assert "no file fits 'all.csv'" in lander.error("all.csv")


def test_a_month_without_files_has_no_rows(lander: FileLander) -> None:
    assert len(lander.land().rows) == 0


def test_parts_of_the_path_are_columns_of_text(lander: FileLander) -> None:
    for region, row in {"01": "1,x", "02": "2,y"}.items():
        lander.write(f"id,v\n{row}\n", "a.csv", f"region={region}/2024-01")

    landed = lander.land("region=%{region}/%Y-%m/*.csv")

    assert [(row["id"], row["region"]) for row in landed.rows.to_pylist()] == [(1, "01"), (2, "02")]


_BEFORE = {"id": "bigint", "v": "bigint", "_dlt_load_id": "text"}


@pytest.mark.stack
def test_a_contract_takes_in_refuses_or_quarantines_what_is_new(lander: FileLander) -> None:
    lander.write("id,v,new\n1,1,\n2,x,\n3,3,n\n")

    evolved = lander.land(before=_BEFORE)
    assert evolved.details["schema_changes"] == [
        "column 'v' is not BIGINT, as it was before",
        "new column 'new' (VARCHAR)",
    ]
    said = lander.error(before=_BEFORE, contract="freeze")
    assert "2024-01/a.csv line 3: column 'v' is not BIGINT" in said
    kept = lander.land(before=_BEFORE, contract="quarantine")
    assert kept.rows.to_pylist() == [{"id": 1, "v": 1}]
    assert kept.refused == [
        ("2024-01/a.csv", 3, "2,x,", "column 'v' is not BIGINT, as it was before"),
        ("2024-01/a.csv", 4, "3,3,n", "new column 'new' (VARCHAR)"),
    ]


def test_a_file_that_changes_while_it_is_read_is_not_landed(
    lander: FileLander, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lander.write("id,v\n1,x\n")
    quick = files_rows.quick_landing

    def meanwhile(*arguments: Any) -> Any:
        landed = quick(*arguments)
        path.write_text("id,v\n1,x\n2,y\n")
        return landed

    monkeypatch.setattr(files_rows, "quick_landing", meanwhile)

    assert "changed while they were read" in lander.error()


def test_a_look_shows_the_first_rows_and_what_the_files_call_the_columns(
    lander: FileLander,
) -> None:
    lander.write("id,@ts\n1,2024-01-05 10:00:00\n2,2024-01-05 10:00:00\n3\n")
    folder = RawFolder(str(lander.raw), "%Y-%m/*.csv")
    settings = FileSettings("receipts", folder, "csv", on_bad_row="quarantine")

    found = look(
        lander.zone.month("sales", "receipts", MONTH),
        lambda month, fetch: file_rows(settings, month, dict, fetch),
        limit=1,
    )

    assert [(c.name, c.type, c.origin) for c in found.columns] == [
        ("id", "bigint", "/id"),
        ("ats", "timestamp", "/@ts"),
    ]
    assert found.rows["id"].to_pylist() == [1]


# Python writes a carriage return without quotes, and reads it as the end of a line.
_TEXT = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\r"), max_size=8
) | st.sampled_from(["1", "007", "1.10", "2.5", "true", "2024-01-01", '"', ",", "\n", ' "x"'])
_TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(_TEXT, min_size=width, max_size=width), max_size=6)
)


@pytest.mark.stack
@hypothesis_settings(max_examples=80, deadline=None, derandomize=True)
@given(table=_TABLES, is_quick=st.booleans(), ends=st.sampled_from(["\n", "\r\n"]))
def test_what_python_writes_is_read_as_python_reads_it(
    reading: Reading, table: list[list[str]], is_quick: bool, ends: str
) -> None:
    written = io.StringIO()
    names = [f"c{n}" for n in range(len(table[0]) if table else 2)]
    writer = csv.writer(written, lineterminator=ends)
    writer.writerows([names, *table])
    data = written.getvalue()
    Path(reading.settings.folder.url, "a.csv").write_text(data, "utf-8", newline="")
    expected = [[value or None for value in row] for row in table if row != [""] or '""' in data]

    rows = opened_rows(reading, reading.settings.folder.files(MONTH))
    landed = _quick(rows) if is_quick else None
    landed = landed or careful_landing(rows.sound(), {})

    assert (landed.rows, landed.quarantined) == (len(expected), 0)
    for row, texts in zip(_written_back(landed.path, names), expected, strict=True):
        for value, text in zip(row, texts, strict=True):
            assert (value or None) in (text, f"{text}.0")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """What `a.csv` is read by, in each of many examples."""
    folder = RawFolder(str(tmp_path_factory.mktemp("raw")), "a.csv")
    with reading_of(FileSettings("receipts", folder, "csv", on_bad_row="quarantine")) as opened:
        yield opened


def _quick(rows: MonthRows) -> Landed | None:
    try:
        return quick_landing(rows, {})
    except duckdb.Error:
        return None


def _written_back(path: Path, names: list[str]) -> list[tuple[str | None, ...]]:
    """Return the rows with their values as DuckDB writes them."""
    with duckdb.connect() as connection:
        columns = ", ".join(f"cast({name} as varchar)" for name in names)
        return connection.execute(f"select {columns} from '{path}'").fetchall()


def test_columns_of_one_name_keep_apart_from_one_that_is_called_like_their_number(
    lander: FileLander,
) -> None:
    lander.write("A 2,A,A,A\n1,2,3,4\n")

    landed = lander.land(types={"A #3": "text"})

    found = {name: landed.column(name) for name in landed.rows.column_names}
    assert (found.pop("a"), found.pop("a_3")) == ([2], ["4"])
    assert sorted(found.values()) == [[1], [3]]
