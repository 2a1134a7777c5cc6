"""The columns of a file, as landing tells them."""

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
_WIDE = str.maketrans(dict.fromkeys("%*?[]", "?"))


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        path: the file.
        columns: their names and types.
        rows: at most `ROWS`.
        settings: that the file needs to be read, such as its delimiter.
        error: why it cannot be read, if it cannot.
    """

    path: str
    columns: list[LookedColumn] = field(default_factory=list[LookedColumn])
    rows: pa.Table | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])
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
    """Return the first rows of a file below a folder, in the dialect that fits it."""
    error = ""
    is_text = file_format in ("csv", "tsv")
    for tried in product(_DELIMITERS, _ENCODINGS) if is_text else [({}, {})]:
        settings = {**tried[0], **tried[1]}
        try:
            return _sample(raw_url, path, file_format, settings)
        except Exception as failure:
            cause = root_cause(failure)
            error = error or f"{type(cause).__name__}: {cause}"
    return Sample(path, error=error)


def _sample(raw_url: str, path: str, file_format: Format, settings: dict[str, str]) -> Sample:
    given: Any = settings
    table = FileTable(name="sample", files=path.translate(_WIDE), format=file_format, **given)
    read = table.settings(raw_url)
    with working_folder() as place:
        month = LandingZone(url=place).month("sample", "sample", month_of(datetime.now(UTC)))
        found = look(month, lambda at, fetch: resource_of(read, at, dict, fetch), ROWS)
    return Sample(path, found.columns, found.rows, settings)
