"""Parquet files as parts."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet

from pipelines_project.sources.files.local_copy import local_copy
from pipelines_project.sources.files.parts import Part, Reading
from pipelines_project.sources.files.parts import unique as unique_names
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sql_text import literal, quoted

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


def parquet_parts(reading: Reading, files: Sequence[RawFile]) -> list[Part]:
    """Return a part for each file.

    Raises:
        OSError: a file is gone, or its compressed data is cut off or damaged; it names the file.
        SourceError: a file is no parquet file, or has a column of numbers that no type holds; it
            names the file.
    """
    return [_part(reading, index, file) for index, file in enumerate(files)]


def _part(reading: Reading, index: int, file: RawFile) -> Part:
    path = local_copy(reading.settings.folder, file, reading.place / f"{index}.parquet")
    part = parquet_part(reading, index, file, path)
    schema: Any = pq.read_schema(path)
    for field in schema:
        if pa.types.is_decimal256(field.type):
            # DuckDB takes it for a double.
            raise SourceError(
                f"{file.path} has the column {field.name!r} of the type {field.type}, and no type "
                "holds more than 38 digits. Nothing was landed: write it as text"
            )
    return part


def parquet_part(reading: Reading, index: int, file: RawFile, path: Path, line: str = "") -> Part:
    """Return the part of a file whose rows are in a parquet file.

    Args:
        reading: what to read by.
        index: of the file.
        file: the raw file.
        path: of the parquet file.
        line: the name of the column that numbers the rows; they are counted if it has none.
    """
    source = f"read_parquet({literal(glob.escape(str(path)))}, hive_partitioning = false)"
    try:
        described = reading.connection.execute(f"describe select * from {source}").fetchall()
        found = reading.connection.execute(f"select count(*) from {source}").fetchone()
    except duckdb.Error as error:
        raise SourceError(
            f"{file.path} is no parquet file that can be read: {str(error)[:200]}. Nothing was "
            "landed: mend or remove the file"
        ) from error
    columns = [(name, sql) for name, sql, *_ in described if name != line]
    number = quoted(line) if line else "row_number() over ()"
    return Part(
        index,
        file,
        unique_names(name for name, _ in columns),
        [sql for _, sql in columns],
        number,
        [quoted(name) for name, _ in columns],
        source,
        found[0] if found else 0,
    )
