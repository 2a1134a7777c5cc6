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
    exact = _exact(reading, index, path, schema)
    return part if exact == path else parquet_part(reading, index, file, exact)


def _exact(reading: Reading, index: int, path: Path, schema: Any) -> Path:
    """Return a file whose times in UTC have no nanoseconds, which DuckDB would cut off.

    In a copy they are text, if they are not zeros.
    """
    zoned = [each.name for each in schema if _is_zoned_nanoseconds(each.type)]
    if not zoned or not _has_nanoseconds(path, zoned):
        return path
    fields = [pa.field(f.name, pa.string()) if f.name in zoned else f for f in schema]
    exact: Any = pa.schema(fields)
    copy, file = reading.place / f"{index}.exact.parquet", pq.ParquetFile(path)
    with pq.ParquetWriter(copy, exact) as writer:
        for batch in file.iter_batches():
            arrays = [
                array.cast(field.type) if field.name in zoned else array
                for array, field in zip(batch.columns, exact, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=exact))
    return copy


def _is_zoned_nanoseconds(kind: Any) -> bool:
    return pa.types.is_timestamp(kind) and kind.unit == "ns" and kind.tz is not None


def _has_nanoseconds(path: Path, columns: Sequence[str]) -> bool:
    try:
        for batch in pq.ParquetFile(path).iter_batches(columns=columns):
            for array in batch.columns:
                array.cast(pa.timestamp("us", array.type.tz))
    except pa.ArrowInvalid:
        return True
    return False


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
