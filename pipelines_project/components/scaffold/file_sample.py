"""The columns of a file, as landing tells them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pyarrow as pa

from pipelines_project.components.file_tables import FileTable
from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.look import LookedColumn, look
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of
from pipelines_project.sources.files.file_format import Format
from pipelines_project.sources.files.file_table import resource_of
from pipelines_project.temporary import working_folder

ROWS = 1000
_DELIMITERS = [dict[str, str](), {"delimiter": ";"}, {"delimiter": "\t"}, {"delimiter": "|"}]
_ENCODINGS = [dict[str, str](), {"encoding": "cp1252"}]
_LAST_HEADER_ROW = 6
# What a column without a name of its own has as its origin.
_BLANK = re.compile(r"/?( #\d+)?|/column [A-Z]+( #\d+)?")
# A number or a date.
_VALUE = re.compile(r"/-?\d+([.,~1-]\d+)*")

Settings = dict[str, Any]
_WIDE = str.maketrans(dict.fromkeys("%*?[]", "?"))


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        path: the file.
        columns: their names and types.
        rows: at most `ROWS`.
        settings: that the file needs to be read, such as its delimiter or the row of its header.
        error: why it cannot be read, if it cannot.
    """

    path: str
    columns: list[LookedColumn] = field(default_factory=list[LookedColumn])
    rows: pa.Table | None = None
    settings: Settings = field(default_factory=dict[str, Any])
    error: str = ""

    def is_complete(self, column: str) -> bool:
        """Tell whether every row has a value."""
        return self.rows is not None and self.rows[column].null_count == 0

    def is_unique(self, column: str) -> bool:
        """Tell whether every row has a value of its own."""
        if self.rows is None or not len(self.rows) or not self.is_complete(column):
            return False
        return len(self.rows[column].unique()) == len(self.rows)


def sample(raw_url: str, path: str, file_format: Format) -> Sample:
    """Return the first rows of a file below a folder, in the dialect and from the row that fit it.

    Where what stands in the first row is more like a title than a header, a header is looked for
    in the rows below.
    """
    first = _first_read(raw_url, path, file_format, [{}])
    if file_format not in ("csv", "tsv", "excel") or _has_header(first):
        return first
    rows = [{"start_row": row} for row in range(2, _LAST_HEADER_ROW + 1)]
    below = _first_read(raw_url, path, file_format, rows, lambda it: len(it.columns) > 1)
    return first if below.error else below


def _first_read(
    raw_url: str,
    path: str,
    file_format: Format,
    rows: Sequence[Settings],
    is_enough: Callable[[Sample], bool] = lambda _: True,
) -> Sample:
    """Return the first sample that can be read and has a header, or else can be read at all."""
    read, error = list[Sample](), ""
    is_text = file_format in ("csv", "tsv")
    for row, *tried in product(rows, *([_DELIMITERS, _ENCODINGS] if is_text else [])):
        settings: Settings = dict(item for part in (row, *tried) for item in part.items())
        try:
            found = _sample(raw_url, path, file_format, settings)
        except Exception as failure:
            cause = root_cause(failure)
            error = error or f"{type(cause).__name__}: {cause}"
        else:
            if is_enough(found) and _has_header(found):
                return found
            read.append(found)
    if read and not any(rows):
        return read[0]
    return Sample(path, error=error or "no row is like a header")


def _has_header(found: Sample) -> bool:
    """Tell whether the names of the columns are more like a header than like a title or a row."""
    names = [column.origin for column in found.columns]
    if found.error or (len(names) > 1 and all(map(_BLANK.fullmatch, names[1:]))):
        return False
    if len(names) == 1 and found.rows is not None:
        values = [str(value) for value in found.rows.column(0).to_pylist()]
        return not values or not all(any(d in value for d in ",;\t|") for value in values)
    return not any(_VALUE.fullmatch(name) for name in names)


def _sample(raw_url: str, path: str, file_format: Format, settings: Settings) -> Sample:
    table = FileTable(name="sample", files=path.translate(_WIDE), format=file_format, **settings)
    read = table.settings(raw_url)
    with working_folder() as place:
        month = LandingZone(url=place).month("sample", "sample", month_of(datetime.now(UTC)))
        found = look(month, lambda at, fetch: resource_of(read, at, dict, fetch), ROWS)
    return Sample(path, found.columns, found.rows, settings)
