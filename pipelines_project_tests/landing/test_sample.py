"""A few rows of a file are shown, and as much of them as a page has room for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from pipelines_project.landing.sample import Sample, sample_of_file

pq: Any = pyarrow.parquet


def _file(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_the_first_rows_are_shown_as_text_without_what_dlt_adds(tmp_path: Path) -> None:
    at = datetime(2024, 1, 31, 12, tzinfo=UTC)
    rows = [{"id": n, "at": at, "note": None, "_dlt_id": "x"} for n in range(5)]

    assert sample_of_file(_file(tmp_path, rows)) == Sample(
        ["id", "at", "note"],
        [[str(n), "2024-01-31 12:00:00+00:00", None] for n in range(3)],
        is_cut=False,
    )


def test_long_texts_and_many_columns_are_cut_off(tmp_path: Path) -> None:
    wide = {f"c{n}": "x" * 1_000 for n in range(100)}

    sample = sample_of_file(_file(tmp_path, [wide]))

    assert sample is not None
    assert sample.is_cut
    assert sample.columns == [f"c{n}" for n in range(24)]
    assert {*sample.rows[0]} == {"x" * 60 + "…"}


@pytest.mark.parametrize("rows", [[], [{"_dlt_id": "x"}]])
def test_a_file_without_rows_or_columns_of_its_own_has_none(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    assert sample_of_file(_file(tmp_path, rows)) is None
