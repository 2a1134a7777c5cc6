"""Parquet files land with their own types, or as text where the warehouse has no such type."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project_tests.file_rows import MONTH, FileLander

_FILES = "%Y-%m/*.parquet"


@pytest.fixture
def lander(tmp_path: Path) -> FileLander:
    return FileLander(tmp_path)


def _write(lander: FileLander, query: str, name: str = "a.parquet", month: str = MONTH) -> Path:
    path = lander.write("", name, month)
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{path}' (format parquet)")
    return path


@pytest.mark.parametrize(
    ("sql", "type_", "text"),
    [
        ("true", "bool", "true"),
        ("7::tinyint", "int64", "7"),
        ("9223372036854775807", "int64", "9223372036854775807"),
        ("18446744073709551615::ubigint", "decimal128(38, 0)", "18446744073709551615"),
        ("0.5::float", "double", "0.5"),
        ("0.1::double", "double", "0.1"),
        ("1.10::decimal(12,2)", "decimal128(12, 2)", "1.10"),
        ("'007'", "string", "007"),
        ("date '2024-01-31'", "date32[day]", "2024-01-31"),
        ("timestamp '2024-01-31 10:00:00.5'", "timestamp[us]", "2024-01-31 10:00:00.5"),
        ("timestamp_ns '2024-01-31 10:00:00.5'", "timestamp[us]", "2024-01-31 10:00:00.5"),
        (
            "timestamp_ns '2024-01-31 10:00:00.123456789'",
            "string",
            "2024-01-31 10:00:00.123456789",
        ),
        ("timestamptz '2024-01-31 10:00:00+02'", "timestamp[us, tz=UTC]", "2024-01-31 08:00:00+00"),
        ("time '10:30:00'", "time64[us]", "10:30:00"),
        ("'ab'::blob", "binary", "ab"),
        ("interval 1 month", "string", "1 month"),
        ("uuid '00000000-0000-0000-0000-00000000000a'", "string", None),
        ("[1, 2]", "string", "[1,2]"),
        ("{'a': 1, 'b': [true]}", "string", '{"a":1,"b":[true]}'),
        ("map {'k': 1}", "string", '{"k":1}'),
        ("'x'::enum('x', 'y')", "string", "x"),
    ],
)
def test_every_type_lands_exactly(
    lander: FileLander, sql: str, type_: str, text: str | None
) -> None:
    path = _write(lander, f"select {sql} as v union all select null")

    landed = lander.land(_FILES)

    assert landed.types == {"v": type_}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("landed", landed.rows)
        said = connection.execute("select cast(v as varchar) from landed where v is not null")
        found = said.fetchall()
        if text is None:
            text = str(connection.execute(f"select v::varchar from '{path}'").fetchall()[0][0])
    assert found == [(text,)]
    assert len(landed.rows) == landed.details["lines_read"] == 2


def test_files_that_contradict_in_a_type_become_one_column(lander: FileLander) -> None:
    _write(lander, "select 1 as id, 5 as v, 1.5 as w", "a.parquet")
    _write(lander, "select 2 as id, 'x' as v, 2::bigint as w", "b.parquet")

    landed = lander.land(_FILES)

    assert landed.column("v") == ["5", "x"]
    assert landed.column("w") == [1.5, 2.0]


def test_a_file_of_all_months_is_split_by_a_date(lander: FileLander) -> None:
    dates = "select unnest([date '2024-01-31', date '2024-02-01', null]) as day"
    _write(lander, f"select row_number() over () as id, day from ({dates})", "all.parquet", "")

    said = lander.error("all.parquet", month_column="day")
    landed = lander.land("all.parquet", month_column="day", on_bad_row="quarantine")

    reason = "null in day is no date of the years 1900 to 2199"
    assert f"all.parquet line 3: {reason}" in said
    assert landed.column("id") == [1]
    assert landed.refused == [("all.parquet", 3, '{"id":3,"day":null}', reason)]
    assert landed.details["lines_of_other_months"] == 1


def test_nanoseconds_are_more_than_a_declared_timestamp_holds(lander: FileLander) -> None:
    times = "unnest(['2024-01-05 02:09:05.071420', '2024-01-05 02:09:05.071420753']) as t"
    _write(lander, f"select t::timestamp_ns as t from (select {times})")

    assert "line 2: '2024-01-05 02:09:05.071420753' in t is no timestamp" in lander.error(
        _FILES, types={"t": "timestamp"}
    )


@pytest.mark.parametrize(
    ("nanoseconds", "type_", "texts"),
    [
        ([1_000, 2_000], "timestamp[us, tz=UTC]", ["00:00:00.000001+00", "00:00:00.000002+00"]),
        ([1_000, 2_001], "string", ["00:00:00.000001000Z", "00:00:00.000002001Z"]),
    ],
)
def test_nanoseconds_of_a_time_in_utc_are_not_cut_off(
    lander: FileLander, nanoseconds: list[int], type_: str, texts: list[str]
) -> None:
    path = lander.write("", "a.parquet")
    times = pa.array(nanoseconds, pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"id": [1, 2], "t": times}), path)

    landed = lander.land(_FILES)

    assert landed.types == {"id": "int64", "t": type_}
    query = "select cast(t as varchar) from landed order by id"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("landed", landed.rows)
        found = [text for (text,) in connection.execute(query).fetchall()]
    assert found == [f"1970-01-01 {text}" for text in texts]


def test_a_number_cannot_tell_the_month(lander: FileLander) -> None:
    _write(lander, "select 20240131 as day", "all.parquet", "")

    assert "is BIGINT, which is no date" in lander.error("all.parquet", month_column="day")


@pytest.mark.parametrize("data", [b"", b"no parquet", b"PAR1 and no more"])
def test_what_is_no_parquet_file_is_named_and_changes_nothing(
    lander: FileLander, data: bytes
) -> None:
    _write(lander, "select 1 as id")
    lander.land(_FILES)
    lander.write(data, "b.parquet")

    assert "2024-01/b.parquet is no parquet file" in lander.error(_FILES)


def test_a_number_that_no_type_holds_is_an_error(lander: FileLander) -> None:
    path = lander.write("", "a.parquet", MONTH)
    values = pa.array([10**38], pa.decimal256(39, 0))
    pq.write_table(pa.table({"v": values}), path)

    said = lander.error(_FILES)

    assert "2024-01/a.parquet has the column 'v' of the type decimal256(39, 0)" in said


def test_names_in_which_only_the_case_differs_stay_apart(lander: FileLander) -> None:
    _write(lander, 'select 1 as "a b", 2 as "A_B", 3 as "@timestamp"')

    [row] = lander.land(_FILES).rows.to_pylist()

    assert sorted(row.values()) == [1, 2, 3]


def test_a_row_says_its_file_and_number_if_it_is_asked_to(lander: FileLander) -> None:
    _write(lander, "select unnest(['x', 'y']) as v")

    landed = lander.land(_FILES, provenance=True)

    assert [tuple(row.values()) for row in landed.rows.to_pylist()] == [
        ("2024-01/a.parquet", 1, "x"),
        ("2024-01/a.parquet", 2, "y"),
    ]
