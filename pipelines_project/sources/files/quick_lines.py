"""A month of lines without surprises: its shape is told by the first, and every line read once."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.names import LOAD_ID_COLUMN
from pipelines_project.sources.files.line_pieces import read_pieces
from pipelines_project.sources.files.line_rows import identified, schema_of
from pipelines_project.sources.files.month_survey import month_columns
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.schema_contract import changes
from pipelines_project.sources.files.settings import JsonlSettings
from pipelines_project.sources.json import arrow_parser, typed_lines
from pipelines_project.sources.json.arrow_parser import UnfitJsonError
from pipelines_project.sources.json.block_workers import BlockWorkers
from pipelines_project.sources.json.lines import SortedLines, sorted_lines
from pipelines_project.sources.json.raw_lines import Piece, block_of
from pipelines_project.sources.json.shape import Shape, flattened, merged
from pipelines_project.sources.row_groups import RowGroup

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet
DictionaryArray: Any = pa.DictionaryArray

_BLOCKS_LOOKED_AT = 4


class QuickLines(NamedTuple):
    """A month's lines as rows: the parquet file, how many it has, what is new in the table."""

    path: Path
    rows: int
    changes: Sequence[str]


def quick_lines(
    workers: BlockWorkers,
    settings: JsonlSettings,
    files: Sequence[RawFile],
    naming: NamingConvention,
    before: Mapping[str, str],
    path: Path,
    load_id: str,
) -> QuickLines | None:
    """Write the month's rows, or return None: a line is bad, or not surely of the shape.

    What comes is what `survey_month` and reading every line again would give.

    Args:
        workers: the threads to use.
        settings: of the table.
        files: of the month.
        naming: dlt's naming convention.
        before: the DuckDB type of each column that the table has from other loads.
        path: of the parquet file to write.
        load_id: of the load that the rows become.
    """
    shape = _first_shape(workers, settings, files)
    told = arrow_parser.schema_of(shape) if shape else None
    if not told:
        return None
    columns = month_columns(settings, shape, naming, before)
    found = changes(columns, before)
    if found and settings.contract != "evolve":
        return None
    schema = schema_of(settings, columns)
    paths = {column.name: column.path for column in columns}

    def work(connection: duckdb.DuckDBPyConnection, pieces: Sequence[Piece]) -> pa.Table:
        blocks: list[pa.Table] = []
        for piece in pieces:
            count, values = typed_lines.typed_lines(connection, piece.data, told)
            own = identified(_numbered(piece, count), files, settings)
            arrays = [values[paths[n]] if n in paths else own[n] for n in schema.names]
            blocks.append(pa.Table.from_arrays(arrays, schema.names).cast(schema))
        return pa.concat_tables(blocks)

    try:
        blocks = workers.map(work, read_pieces(settings.folder, files))
        rows = _written(blocks, schema, path, load_id)
    except UnfitJsonError:
        return None
    return QuickLines(path, rows, [rule.text for rule in found])


def _first_shape(workers: BlockWorkers, settings: JsonlSettings, files: Sequence[RawFile]) -> Shape:
    """Return the shape of the first lines; an empty one if any of them is bad."""

    def work(connection: duckdb.DuckDBPyConnection, pieces: Sequence[Piece]) -> SortedLines:
        return sorted_lines(connection, block_of(pieces))

    shape: Shape = {}
    first = islice(read_pieces(settings.folder, files), _BLOCKS_LOOKED_AT)
    for block in workers.map(work, first):
        if block.bad:
            return {}
        shape = merged(shape, block.shape)
    return flattened(shape)


def _numbered(piece: Piece, count: int) -> pa.Table:
    numbers = pa.array(range(piece.first, piece.first + count), pa.int64())
    columns: Any = {"file": pa.repeat(pa.scalar(piece.file, pa.int32()), count), "number": numbers}
    return pa.Table.from_pydict(columns)


def _written(blocks: Iterator[pa.Table], schema: pa.Schema, path: Path, load_id: str) -> int:
    """Write the rows as dlt would, with the id of their load, and return how many there are."""
    one = DictionaryArray.from_arrays(pa.array([0], pa.int8()), [load_id])
    field: pa.Field[Any] = pa.field(LOAD_ID_COLUMN, one.type, nullable=False)
    fields: list[pa.Field[Any]] = [*schema, field]
    count, group = 0, RowGroup()
    with pq.ParquetWriter(path, pa.schema(fields), compression="zstd") as writer:

        def write(rows: pa.Table) -> None:
            ids = one.take(pa.repeat(0, len(rows)))
            writer.write_table(rows.append_column(field, ids), len(rows))

        for block in blocks:
            count += len(block)
            if group.add(block):
                for rows in group.taken():
                    write(rows)
        for rows in group.taken():
            write(rows)
    return count
