"""A few rows as text, to be shown where no person is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet

from pipelines_project.names import DLT_COLUMNS

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

MOST_ROWS = 3
# No page is a place for tables of hundreds of columns and texts of kilobytes.
MOST_COLUMNS = 24
MOST_CHARACTERS = 60


@dataclass(frozen=True)
class Sample:
    """A few rows of a table or mart, without what dlt adds to them.

    Attributes:
        columns: the first ones.
        rows: their values as text, the long ones cut off; None for null.
        is_cut: whether there are more columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    is_cut: bool


def sample_of_file(path: Path) -> Sample | None:
    """Return the first rows of a parquet file; None if it has none, or no column to be shown."""
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name not in DLT_COLUMNS]
        shown = columns[:MOST_COLUMNS]
        batches = file.iter_batches(MOST_ROWS, columns=shown, use_threads=False)
        first = next(batches, None) if shown else None
        if not first:
            return None
        rows = [[_text(row[name]) for name in shown] for row in first.to_pylist()]
    return Sample(shown, rows, len(columns) > len(shown))


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
