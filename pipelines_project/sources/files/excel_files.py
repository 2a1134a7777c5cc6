"""Excel files as parts: the cells of a sheet are copied, with their types, into a parquet file.

Excel has one kind of number. A column of whole numbers is of integers, and what has texts and
numbers is text. A cell of a formula has the value that Excel last calculated; an error is null.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from pipelines_project.extras import how_to_install
from pipelines_project.sources.files.local_copy import local_copy
from pipelines_project.sources.files.parquet_files import parquet_part
from pipelines_project.sources.files.parts import LINE, Part, Reading
from pipelines_project.sources.files.parts import unique as unique_names
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.sheet_rows import Cell, SheetRows
from pipelines_project.sources.http.api_calls import SourceError

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet

_BATCH_ROWS = 10_000
_ARROW: dict[frozenset[type], pa.DataType] = {
    frozenset({bool}): pa.bool_(),
    frozenset({int}): pa.int64(),
    frozenset({float}): pa.float64(),
    frozenset({int, float}): pa.float64(),
    frozenset({date}): pa.date32(),
    frozenset({datetime}): pa.timestamp("us"),
    frozenset({date, datetime}): pa.timestamp("us"),
}


def excel_parts(reading: Reading, files: Sequence[RawFile]) -> list[Part]:
    """Return a part for each file whose sheet is not empty.

    Raises:
        OSError: a file is gone, or its compressed data is cut off or damaged; it names the file.
        SourceError: a file is no Excel file or has no such sheet; it names the file. Or the
            package that reads them is not installed.
    """
    parts = (_part(reading, index, file) for index, file in enumerate(files))
    return [part for part in parts if part]


def _part(reading: Reading, index: int, file: RawFile) -> Part | None:
    rows = SheetRows(
        _sheet(reading, index, file), reading.settings.cells, reading.settings.start_row
    )
    if not rows.header:
        return None
    path = reading.place / f"{index}.parquet"
    _write(rows, path)
    return parquet_part(reading, index, file, path, LINE)


def _sheet(reading: Reading, index: int, file: RawFile) -> "CalamineSheet":
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise SourceError(
            f"Excel files are read by a package that is not installed: {how_to_install('excel')}"
        ) from error
    path = local_copy(reading.settings.folder, file, reading.place / f"{index}.xlsx")
    name = reading.settings.sheet
    try:
        with path.open("rb") as stream:
            book = calamine.CalamineWorkbook.from_filelike(stream)
        if name is None:
            return book.get_sheet_by_index(0)
        if name not in book.sheet_names:
            raise SourceError(
                f"{file.path} has no sheet {name!r}; there are {', '.join(book.sheet_names)}. "
                "Nothing was landed: set sheet to one of them"
            )
        return book.get_sheet_by_name(name)
    except calamine.CalamineError as error:
        raise SourceError(
            f"{file.path} is no Excel file that can be read: {error}. Nothing was landed: mend or "
            "remove the file"
        ) from error


def _write(rows: SheetRows, path: Path) -> None:
    """Write the rows with one type a column, which comes from every cell of it."""
    kinds: dict[int, set[type]] = {}
    for _, cells in rows:
        for at, cell in enumerate(cells):
            if cell is not None:
                kinds.setdefault(at, set()).add(type(cell))
    header = dict(enumerate(rows.header))
    used = sorted({at for at, cell in header.items() if cell is not None} | {*kinds})
    names = unique_names(_name(rows, header.get(at), at) for at in used)
    types = [_ARROW.get(frozenset(kinds.get(at, ())), pa.string()) for at in used]
    fields = [pa.field(name, kind) for name, kind in zip(names, types, strict=True)]
    schema = pa.schema([pa.field(LINE, pa.int64()), *fields])
    numbered = iter(rows)
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(numbered, _BATCH_ROWS)):
            columns: list[Any] = [pa.array([number for number, _ in batch], pa.int64())]
            for at, kind in zip(used, types, strict=True):
                values = [cells[at] if at < len(cells) else None for _, cells in batch]
                columns.append(pa.array([_as(kind, value) for value in values], kind))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _name(rows: SheetRows, cell: Cell | None, at: int) -> str:
    """Return the name of a column: its letters, if its header is blank."""
    return f"column {rows.letters(at)}" if cell is None else _text(cell)


def _as(kind: Any, value: Cell | None) -> Any:
    """Return a cell as a value of the column's type."""
    if value is None:
        return None
    if kind == pa.string():
        return _text(value)
    if kind == pa.timestamp("us") and not isinstance(value, datetime):
        return datetime.combine(value, time()) if isinstance(value, date) else value
    return value


def _text(cell: Cell) -> str:
    """Return a cell as text: times as ISO writes them, a duration in hours."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
