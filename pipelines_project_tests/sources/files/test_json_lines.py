"""A month of JSON lines lands whole: every value, every line, or the line that does not and why."""

import bz2
import gzip
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files import json_lines as local_jsonl
from pipelines_project.sources.files import line_pieces
from pipelines_project.sources.files.month_survey import MonthSurvey, survey_month
from pipelines_project.sources.files.raw_files import RawFolder
from pipelines_project.sources.files.settings import JsonlSettings
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.block_workers import block_workers
from pipelines_project_tests.json_lines import (
    MONTH,
    TEMPLATE,
    LandedLines,
    assert_every_line_is_there,
    jsonl,
    land_lines,
    landed_lines,
    lines_of,
    write_lines,
)

Land = Callable[..., LandedLines]
Survey = Callable[..., MonthSurvey]


@pytest.fixture
def land(landing: LandingZone, tmp_path: Path) -> Land:
    """Land one file, or the files that a test has written before."""

    def landed(data: bytes | str | None = None, **settings: Any) -> LandedLines:
        if data is not None:
            write_lines(tmp_path, data)
        return land_lines(landing, tmp_path, **settings)

    return landed


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    """Read one file, or those that a test has written, through without landing it."""

    def surveyed(
        data: bytes | str | None = None, before: Mapping[str, str] | None = None, **settings: Any
    ) -> MonthSurvey:
        if data is not None:
            write_lines(tmp_path, data)
        chosen = JsonlSettings("events", RawFolder(str(tmp_path), TEMPLATE), **settings)
        files = chosen.folder.files(MONTH)
        with block_workers() as workers:
            return survey_month(workers, chosen, files, NamingConvention(), before or {})

    return surveyed


@pytest.fixture(params=[64, line_pieces.BLOCK_BYTES], ids=["many blocks", "one block"])
def _block_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_pieces, "BLOCK_BYTES", request.param)


def _refusal(land: Land, data: bytes | str | None = None, **settings: Any) -> str:
    with pytest.raises(Exception, match=r"line|files") as raised:
        land(data, **settings)
    cause = root_cause(raised.value)
    assert isinstance(cause, SourceError)
    return str(cause)


@pytest.mark.usefixtures("_block_size")
def test_objects_are_flattened_and_lists_stay_json(land: Land) -> None:
    landed = land(jsonl({"user": {"id": 1, "Home Town": {"zip": "07"}}, "tags": [1, {"a": "b"}]}))

    [row] = landed.rows.drop(["_dlt_id", "_dlt_load_id"]).to_pylist()
    assert row == {"user__id": 1, "user__home_town__zip": "07", "tags": '[1,{"a":"b"}]'}
    assert landed.details["lines_read"] == len(landed.rows) == 1


@pytest.mark.parametrize("provenance", [True, False])
def test_keys_may_have_the_names_that_the_reader_gives_to_its_own(
    land: Land, provenance: bool
) -> None:
    line = {"file": "a.txt", "number": 7.5, "line": "x", "s": 1, "lines": None, "keys": "k"}

    landed = land(jsonl(line), provenance=provenance)

    [row] = landed.rows.to_pylist()
    assert {name: row[name] for name in line} == line


COLUMNS: list[tuple[list[Any], list[Any] | None, pa.DataType]] = [
    ([1, 2, -3], None, pa.int64()),
    ([1, None, 2.5], [1.0, None, 2.5], pa.float64()),
    ([True, None], None, pa.bool_()),
    ([1, "x", 1.0, "1", True], ["1", "x", "1.0", "1", "true"], pa.large_string()),
    ([True, 1], ["true", "1"], pa.large_string()),
    (["x", [1], {"a": 1}], ["x", "[1]", '{"a":1}'], pa.large_string()),
    ([None, None], None, pa.large_string()),
    ([{}, None, {}], ["{}", None, "{}"], pa.large_string()),
    ([2**63 - 1, -(2**63)], None, pa.int64()),
    ([1, 2**63], ["1", str(2**63)], pa.large_string()),
    ([10**40, -1], [str(10**40), "-1"], pa.large_string()),
    ([2**53 + 1, 0.5], [str(2**53 + 1), "0.5"], pa.large_string()),
    (["2024-01-01", "01/02/2024 10:00", "x"], None, pa.large_string()),
    (["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.123456789+02:00"], None, pa.large_string()),
    (["007", "7", "1e3", "true", "null", ""], None, pa.large_string()),
]
"""What a column's values are, what they land as if not as they are, and its type."""


@pytest.mark.usefixtures("_block_size")
def test_a_column_has_the_narrowest_type_that_holds_every_value(land: Land) -> None:
    rows = [
        {f"c{at}": values[n] for at, (values, *_) in enumerate(COLUMNS) if n < len(values)}
        for n in range(6)
    ]
    month = land(jsonl(*rows))

    for at, (values, landed, kind) in enumerate(COLUMNS):
        assert month.column(f"c{at}")[: len(values)] == (landed or values)
        assert month.rows.schema.field(f"c{at}").type == kind


LITERALS = {
    "0.1234567890123456789": "0.1234567890123456789",
    "12345678901234567.89": "12345678901234567.89",
    "1e400": "1e400",
    "-1E-400": "-1E-400",
    "9223372036854775808": "9223372036854775808",
    "0.30000000000000004": 0.30000000000000004,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "5e-324": 5e-324,
    "1.10": 1.1,
    "100000000000000000000.0": 1e20,
    "1E5": 100000.0,
    "-0.0": -0.0,
}
"""Numbers as they are written, and what they land as."""


@pytest.mark.usefixtures("_block_size")
def test_a_number_keeps_every_digit_as_text_if_no_type_holds_it(land: Land) -> None:
    fields = ", ".join(
        f'"v{n}": {literal}, "s{n}": "{literal}, \\" {literal}", "l{n}": [{literal}]'
        for n, literal in enumerate(LITERALS)
    )
    month = land(f"{{{fields}}}\n")

    for n, (literal, landed) in enumerate(LITERALS.items()):
        assert month.column(f"v{n}") == [landed]
        assert month.column(f"s{n}") == [f'{literal}, " {literal}']
        # In a list an integer stays one, whatever its length.
        lists = [json.loads(text, parse_int=str) for text in month.column(f"l{n}")]
        assert lists == [[landed]]


def test_not_a_number_and_the_infinities_land(land: Land) -> None:
    month = land('{"v": NaN}\n{"v": -Infinity}\n{"v": Infinity}\n{"v": 1}\n')

    assert [str(value) for value in month.column("v")] == ["nan", "-inf", "inf", "1.0"]


@pytest.mark.stack
@pytest.mark.parametrize("late", [1.5, "text", {"a": 1}])
def test_a_type_and_a_column_that_come_late_are_seen(land: Land, late: Any) -> None:
    rows = [{"v": 1} for _ in range(25_000)] + [{"v": late}, {"v": 2, "new": 1}]
    month = land(jsonl(*rows))

    values = month.column("v")
    assert len(values) == len(rows)
    assert {type(value) for value in values} == {float if late == 1.5 else str}
    assert values[25_000] == (late if not isinstance(late, dict) else '{"a":1}')
    assert month.column("new")[-1] == 1


@pytest.mark.stack
@pytest.mark.usefixtures("_block_size")
def test_names_that_fall_together_stay_apart_and_are_the_same_each_time(land: Land) -> None:
    row = {"ProcessID": 1, "ProcessId": "x", "processID": None, "a.b": 2, "a_b": 3}
    row |= {"a": {"b": 4, "B": 5}, "a__b": 6, "": 7, " ": 8, "日": 9, "本": 10, "o'k \"": 11}
    row |= {"_dlt_id": 12, "_dlt_load_id": 13, "month": 14, "x/y~": {"~1": 15}}
    first, second = land(jsonl(row, row)), land()

    assert first.rows.schema.names == second.rows.schema.names
    assert len(set(first.rows.schema.names)) == len(first.rows.schema.names)
    assert {"process_id", "a_b", "a__b", "month"} <= {*first.rows.schema.names}
    numbers = [value for value in first.rows.to_pylist()[1].values() if isinstance(value, int)]
    assert sorted(numbers) == [1, *range(2, 16)]


@pytest.mark.stack
def test_an_object_with_very_many_keys_stays_json_text(land: Land) -> None:
    month = land(jsonl(*({"id": n, "by_user": {f"u{n}": n}} for n in range(600))))

    assert month.column("by_user")[599] == '{"u599":599}'
    assert month.column("id") == [*range(600)]


@pytest.mark.stack
def test_what_is_nested_deep_stays_json_text_and_deeper_is_a_bad_line(land: Land) -> None:
    deep, deepest = '{"a":' * 499 + "1" + "}" * 499, '{"a":' * 60_000 + "1" + "}" * 60_000
    month = land(f"{deep}\n{deepest}\n", on_bad_line="quarantine")

    [name] = [name for name in month.rows.schema.names if name.startswith("a")]
    assert name.count("__") == 20
    assert json.loads(month.column(name)[0])
    assert month.reasons == {2: "nested more than 500 levels deep"}


ONE_AND_TWO = [
    b'{"v":1}\r\n{"v":2}\r\n',
    b'{"v":1}\r{"v":2}\r',
    b'{"v":1}\r{"v":2}',
    b'\xef\xbb\xbf{"v":1}\n{"v":2}',
    b'\n{"v":1}\n \t\n\r\n{"v":2}\n\n\n',
    b'{"v":\r1}\n{"v":2}\n',
]
NOTHING = [b"", b"\n\n", b"\xef\xbb\xbf"]


@pytest.mark.usefixtures("_block_size")
def test_line_ends_byte_order_mark_and_blank_lines_change_nothing(
    land: Land, tmp_path: Path
) -> None:
    files = {f"{at}.jsonl": data for at, data in enumerate([*ONE_AND_TWO, *NOTHING])}
    for name, data in files.items():
        write_lines(tmp_path, data, name)
    month = land(provenance=True)

    landed: dict[str, list[tuple[int, int]]] = {name: [] for name in files}
    for row in month.rows.to_pylist():
        landed[row["source_file"].split("/")[-1]].append((row["source_line"], row["v"]))
    values = {name: [1, 2] if data in ONE_AND_TWO else [] for name, data in files.items()}
    assert landed == {
        name: [*zip(lines_of(data), values[name], strict=True)] for name, data in files.items()
    }
    assert month.details["lines_read"] == len(month.rows) == 2 * len(ONE_AND_TWO)


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("data", NOTHING)
def test_a_month_of_files_without_a_line_has_no_rows(survey: Survey, data: bytes) -> None:
    month = survey(data)

    assert (month.landing, month.quarantined, month.changes) == (0, 0, [])


BAD_LINES = {
    b'{"v":1}{"v":2}': "unexpected content after document at byte 7",
    b'{"v":1}TRAILER': "unexpected content after document at byte 7",
    b'{"v":"1}': "unexpected end of data at byte 8",
    b'{"v":1': "unexpected end of data at byte 6",
    b"null": "a JSON null, not an object",
    b'[{"v":1}]': "a JSON array, not an object",
    b'"v"': "a JSON varchar, not an object",
    b'{"v":1,"v":1}': "the key 'v' is there twice in one object",
    b'{"o":{"v":1,"v":1}}': "the key 'v' is there twice in one object",
    b'{"v":1,"\\u0076":1}': "the key 'v' is there twice in one object",
    b'{"v":"\\ud800"}': "no low surrogate in string at byte 12",
    b'{"v":"\xff"}': "not UTF-8: invalid start byte at byte 7",
    b'{"v":"\x01"}': "unexpected control character in string at byte 6",
    b'{"v\\u0000":1}': "the key 'v\\x00' holds a NUL character",
    b"\x00\x00\x00": "unexpected character at byte 0",
    b"{12345678901234567890:1}": "unexpected character at byte 1",
    # DuckDB quotes so much of the line that it cuts a character.
    b'{"v":"' + "\u00e9".encode() * 100 + b'"': "unexpected end of data at byte 207",
    b'{"v": "' + "\u00e9".encode() * 100 + b'"': "unexpected end of data at byte 208",
}


@pytest.mark.parametrize("line", BAD_LINES)
@pytest.mark.parametrize("before", [1, 30])
def test_a_bad_line_fails_the_month_with_file_number_and_reason(
    survey: Survey, monkeypatch: pytest.MonkeyPatch, line: bytes, before: int
) -> None:
    monkeypatch.setattr(line_pieces, "BLOCK_BYTES", 64)
    data = b'{"v":1,"o":{"v":1}}\n' * before + b"\n" + line + b'\n{"v":2}\n'

    with pytest.raises(SourceError, match="on_bad_line: quarantine") as raised:
        survey(data)

    assert f"events/2024-01/a.jsonl line {before + 2}: {BAD_LINES[line]}" in str(raised.value)


@pytest.mark.usefixtures("_block_size")
def test_all_bad_lines_of_a_month_are_counted(survey: Survey, tmp_path: Path) -> None:
    write_lines(tmp_path, '{"v": 1}\n' + "{\n" * 12, "b.jsonl")

    with pytest.raises(SourceError, match=r"a.jsonl line 2: .*a.jsonl line 6: .*; and 20 more\."):
        survey('{"v": 1}\n' + "{\n" * 13)


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("settings", [{"on_bad_line": "quarantine"}, {"contract": "quarantine"}])
def test_a_month_of_which_no_line_fits_is_an_error_also_with_quarantine(
    survey: Survey, settings: dict[str, Any]
) -> None:
    data = jsonl({"new": 1}, {"new": 2}) if "contract" in settings else "id,name\n1,x\n"

    with pytest.raises(SourceError, match=r"not one line of events fits: .*a.jsonl line 1: .*2: "):
        survey(data, before=BEFORE, **settings)
    assert survey("\n \n", before=BEFORE, **settings).quarantined == 0


@pytest.mark.stack
@pytest.mark.usefixtures("_block_size")
def test_bad_lines_are_quarantined_as_they_are(land: Land) -> None:
    data = b'{"v":0,"o":{"v":0}}\n\n' + b'\n{"v":2}\n'.join(BAD_LINES)
    month = land(data, on_bad_line="quarantine", provenance=True)

    assert [*month.reasons.values()] == [*BAD_LINES.values()]
    assert_every_line_is_there(month, {"events/2024-01/a.jsonl": data})
    assert month.details["lines_quarantined"] == len(BAD_LINES)
    assert month.column("v") == [0, *[2] * (len(BAD_LINES) - 1)]
    assert {row["_dlt_load_id"] for row in month.quarantined} == {month.load_id}


def test_a_month_that_fails_leaves_what_is_landed(land: Land, landing: LandingZone) -> None:
    good = land(b'{"v":0}\n')

    assert "line 2" in _refusal(land, b'{"v":0}\n{\n')
    assert landed_lines(landing).rows == good.rows


def test_an_error_names_the_first_bad_lines_and_counts_the_others(survey: Survey) -> None:
    with pytest.raises(SourceError, match=r"line 1: .*line 5: .*; and 2 more") as raised:
        survey(b"{\n" * 7)

    assert "line 6: " not in str(raised.value)


def test_a_string_of_any_characters_lands(land: Land) -> None:
    text = "\x00\u2028\ud7ff\U0001f600 \\ \" ' \t\r\n"

    assert land(jsonl({"v": text})).column("v") == [text]


@pytest.mark.stack
def test_a_line_of_many_megabytes_lands(land: Land) -> None:
    text = "x" * (3 * line_pieces.BLOCK_BYTES)
    month = land(jsonl({"v": 1}, {"v": text}, {"v": 2}))

    assert [len(value) for value in month.column("v")] == [1, len(text), 1]


def test_ids_are_unique_and_the_same_when_a_month_is_landed_again(
    land: Land, tmp_path: Path
) -> None:
    write_lines(tmp_path, jsonl(*[{"v": 1}] * 3), "b.jsonl")
    first, second = land(jsonl(*[{"v": 1}] * 3)), land()

    assert len(set(first.column("_dlt_id"))) == 6
    assert first.column("_dlt_id") == second.column("_dlt_id")
    assert set(first.column("_dlt_load_id")) == {first.load_id}
    assert first.load_id != second.load_id


@pytest.mark.stack
@pytest.mark.parametrize(
    ("name", "compressed"),
    [
        ("a.jsonl.gz", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
        ("a.jsonl.zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
        ("a.jsonl.bz2", bz2.compress),
    ],
)
@pytest.mark.usefixtures("_block_size")
def test_compressed_files_land_and_damaged_ones_are_errors(
    land: Land, survey: Survey, tmp_path: Path, name: str, compressed: Callable[[bytes], bytes]
) -> None:
    data = compressed(jsonl(*({"v": n} for n in range(500))).encode())
    path = write_lines(tmp_path, data, name)

    assert land().column("v") == [*range(500)]
    for damaged in (data[: len(data) // 2], data[:-3], b"x" + data):
        path.write_bytes(damaged)
        with pytest.raises(OSError, match=f"cannot read events/2024-01/{name}"):
            survey()


def test_files_can_be_on_any_filesystem(landing: LandingZone) -> None:
    folder = f"memory://{uuid4().hex}"
    fs, path = fsspec.url_to_fs(folder)
    fs.pipe({f"{path}/events/{MONTH}/a.jsonl": b'{"v":1}\n', f"{path}/events/x.jsonl": b"{"})

    month = land_lines(landing, folder, provenance=True)

    assert (month.column("v"), month.column("source_file")) == ([1], ["events/2024-01/a.jsonl"])
    fs.rm(path, recursive=True)


@pytest.mark.parametrize("reading", ["quick_lines", "survey_month"])
def test_files_that_change_while_they_are_read_are_an_error(
    land: Land, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: str
) -> None:
    # Of a list of numbers only the survey makes a column.
    path = write_lines(tmp_path, jsonl({"v": 1 if reading == "quick_lines" else [1]}))

    def read_and_append(*arguments: Any) -> Any:
        found = read(*arguments)
        with path.open("a") as file:
            file.write('{"v": 2}\n')
        return found

    read = getattr(local_jsonl, reading)
    monkeypatch.setattr(local_jsonl, reading, read_and_append)
    assert "changed" in _refusal(land)


@pytest.mark.stack
@pytest.mark.long
def test_row_groups_are_large_and_a_month_is_one_file(land: Land, landing: LandingZone) -> None:
    land(jsonl(*({"v": n, "text": "x" * 40} for n in range(200_000))))

    load = landing.month("local_jsonl", "events", MONTH).current_files()
    assert load
    [file] = load.files
    metadata = pq.read_metadata(file)
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sum(groups) == 200_000
    assert min(groups[:-1]) >= 100_000
    assert metadata.row_group(0).column(1).compression == "ZSTD"


def test_a_month_without_files_is_empty_but_a_root_that_is_not_there_is_an_error(
    land: Land, landing: LandingZone, tmp_path: Path
) -> None:
    assert len(land().rows) == 0

    with pytest.raises(Exception, match=r"there is no folder .*RAW_URL, or what raw_url"):
        land_lines(landing, tmp_path / "gone")


BEFORE = {"v": "BIGINT", "text": "VARCHAR", "o__a": "BIGINT", "ratio": "DOUBLE", "flag": "BOOLEAN"}


@pytest.mark.parametrize(
    ("row", "change"),
    [
        ({"new": 1}, "new column 'new' (BIGINT)"),
        ({"new": None}, "new column 'new' (VARCHAR)"),
        ({"o": {"b": 1}}, "new column 'o__b' (BIGINT)"),
        ({"o": 5}, "column 'o' is not an object, as it was before"),
        ({"v": 1.5}, "column 'v' is not BIGINT, as it was before"),
        ({"v": "1"}, "column 'v' is not BIGINT, as it was before"),
        ({"v": 2**63}, "column 'v' is not BIGINT, as it was before"),
        ({"ratio": "x"}, "column 'ratio' is not DOUBLE, as it was before"),
        ({"flag": 1}, "column 'flag' is not BOOLEAN, as it was before"),
    ],
)
def test_a_contract_takes_a_change_in_or_names_its_line_or_quarantines_it(
    survey: Survey, row: dict[str, Any], change: str
) -> None:
    fitting = {"v": 1, "text": "t", "o": {"a": 1}, "ratio": 1, "flag": None}
    data = jsonl(fitting, fitting, row, fitting)

    evolved = survey(data, before=BEFORE)
    assert (evolved.landing, change in evolved.changes) == (4, True)

    with pytest.raises(SourceError, match="the contract is freeze") as raised:
        survey(data, before=BEFORE, contract="freeze")
    assert f"events/2024-01/a.jsonl line 3: {change}" in str(raised.value)

    kept = survey(data, before=BEFORE, contract="quarantine")
    assert (kept.landing, kept.quarantined, kept.changes) == (3, 1, [])
    assert {column.name for column in kept.columns} <= {*BEFORE}


@pytest.mark.stack
@pytest.mark.usefixtures("_block_size")
def test_lines_that_break_the_contract_are_quarantined_as_they_are(land: Land) -> None:
    fitting = {"v": 1, "text": "t", "o": {"a": 1}, "ratio": 1, "flag": None}
    data = jsonl(fitting, {"new": 10**30}, fitting, {"o": 5}, {"v": 2**63})
    month = land(data, before=BEFORE, contract="quarantine", provenance=True)

    assert [*month.reasons] == [2, 4, 5]
    assert month.column("source_line") == [1, 3]
    assert_every_line_is_there(month, {"events/2024-01/a.jsonl": data.encode()})


@pytest.mark.parametrize("contract", ["freeze", "quarantine"])
@pytest.mark.parametrize(
    "row", [{"v": None}, {"text": 5}, {"ratio": 7}, {"o": None}, {"o": {}}, {}, {"o": {"a": None}}]
)
def test_what_fits_the_columns_keeps_the_contract(
    survey: Survey, row: dict[str, Any], contract: str
) -> None:
    month = survey(jsonl({"v": 1}, row), before=BEFORE, contract=contract)

    assert (month.landing, month.changes) == (2, [])


@pytest.mark.stack
def test_an_integer_that_a_double_would_change_breaks_the_contract_of_a_double(
    land: Land, survey: Survey
) -> None:
    data = jsonl({"ratio": 0.5}, {"ratio": 2**53 + 1}, {"ratio": 2**53})

    with pytest.raises(SourceError, match="line 2"):
        survey(data, before=BEFORE, contract="freeze")
    kept = land(data, before=BEFORE, contract="quarantine")
    assert kept.column("ratio") == [0.5, float(2**53)]


def test_bad_lines_and_breaches_of_contract_are_settled_apart(land: Land) -> None:
    data = jsonl({"v": 1}, {"new": 1}) + "{\n"

    assert "line 3: unexpected end" in _refusal(land, data, before=BEFORE, contract="quarantine")
    both = land(data, before=BEFORE, contract="quarantine", on_bad_line="quarantine")
    assert [*both.reasons] == [2, 3]


def _recorded(folder: Path) -> dict[str, bytes]:
    """Return the content of every recorded file of lines."""
    files = sorted(path for path in (folder / "jsonl").rglob("*") if path.is_file())
    return {
        path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in files
    }


@pytest.mark.stack
@pytest.mark.parametrize("block_bytes", [50_000, line_pieces.BLOCK_BYTES])
def test_every_line_of_the_recorded_files_is_accounted_for(
    land: Land,
    tmp_path: Path,
    recorded_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    block_bytes: int,
) -> None:
    monkeypatch.setattr(line_pieces, "BLOCK_BYTES", block_bytes)
    files = _recorded(recorded_data)
    for name, data in files.items():
        write_lines(tmp_path, data, name.removesuffix(".gz"))

    month = land(on_bad_line="quarantine", provenance=True)

    paths = {f"events/2024-01/{name.removesuffix('.gz')}": data for name, data in files.items()}
    assert len(paths) > 10
    assert_every_line_is_there(month, paths)
    bad = {(row["source_file"].split("/")[-1], row["source_line"]) for row in month.quarantined}
    assert {("duplicate_key.ndjson", 3), ("unterminated_quotes.ndjson", 3)} <= bad
    assert {("trailing_content.ndjson", 2), ("multiple_objects_per_line.ndjson", 1)} <= bad
    assert not any(name.startswith(("bitly", "rasa", "example")) for name, _ in bad)


@pytest.mark.stack
def test_a_recorded_file_with_a_bad_line_fails_naming_it(
    land: Land, tmp_path: Path, recorded_data: Path
) -> None:
    for name in ("duplicate_key", "unterminated_quotes", "trailing_content"):
        data = _recorded(recorded_data)[f"{name}.ndjson"]
        [(number, reason)] = land(data, on_bad_line="quarantine").reasons.items()
        assert f"events/2024-01/a.jsonl line {number}: {reason}" in _refusal(land, data)


def _mutated(data: bytes, seed: int) -> bytes:
    """Return the data with one to three of its places cut, flipped, joined or dropped."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data))
        match chance.choice(["cut", "flip", "join", "drop", "double"]):
            case "cut":
                data = data[: max(at, 1)]
            case "flip":
                flipped = bytes([data[at] ^ 1 << chance.randrange(8)])
                data = data[:at] + flipped + data[at + 1 :]
            case "join":
                end = data.find(b"\n", at)
                data = data if end < 0 else data[:end] + data[end + 1 :]
            case "drop":
                data = data[:at] + data[at + chance.randint(1, 20) :] or b"\n"
            case "double":
                data = data[:at] + data[at : at + chance.randint(1, 20)] + data[at:]
    return data


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.stack) for part in range(1, 10))]
)
def test_every_line_of_a_thousand_mutated_pieces_is_accounted_for(
    land: Land, tmp_path: Path, recorded_data: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """Ten files, each ten times some lines of a recorded file that were then damaged."""
    monkeypatch.setattr(line_pieces, "BLOCK_BYTES", 20_000 if part % 2 else line_pieces.BLOCK_BYTES)
    datas = [data for data in _recorded(recorded_data).values() if data.count(b"\n") > 100]
    recorded = [data.splitlines(keepends=True) for data in datas]
    files = {}
    for first in range(100 * part, 100 * part + 100, 10):
        data = b"".join(_mutated_piece(recorded, seed) for seed in range(first, first + 10))
        write_lines(tmp_path, data, f"{first:03d}.jsonl")
        files[f"events/2024-01/{first:03d}.jsonl"] = data

    month = land(on_bad_line="quarantine", provenance=True)

    assert 50 < len(month.quarantined) < len(month.rows)
    assert_every_line_is_there(month, files)


def _mutated_piece(recorded: list[list[bytes]], seed: int) -> bytes:
    chance = random.Random(-seed)
    lines = chance.choice(recorded)
    first = chance.randrange(len(lines) - 6)
    return _mutated(b"".join(lines[first : first + 6]), seed)


def test_a_resource_lists_the_files_of_its_own_month_only(tmp_path: Path) -> None:
    for month in ("2024-01", "2024-02"):
        write_lines(tmp_path, "{}", month=month)

    assert [file.path for file in RawFolder(str(tmp_path), TEMPLATE).files("2024-02")] == [
        "events/2024-02/a.jsonl"
    ]
