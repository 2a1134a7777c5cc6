"""What the rows of lines are beside their values: their ids and their schema."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute

from pipelines_project.names import ROW_ID_COLUMN
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.settings import PROVENANCE, JsonlSettings
from pipelines_project.sources.json.columns import Column

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute


def identified(lines: pa.Table, files: Sequence[RawFile], settings: JsonlSettings) -> pa.Table:
    """Return the lines with `_dlt_id`, and with file and line if each row is to say them.

    Args:
        lines: have columns `file` (index in the list of files) and `number`.
        files: of the month.
        settings: of the table.
    """
    file, number = lines["file"].combine_chunks(), lines["number"].combine_chunks()
    first, last = (file[0].as_py(), file[-1].as_py()) if len(file) else (0, -1)
    at = pc.subtract(file, first)
    paths = [f.path for f in files[first : last + 1]]
    keys = pa.array([_file_key(path) for path in paths], pa.string()).take(at)
    ids = pc.binary_join_element_wise(keys, number.cast(pa.string()), "_")
    lines = lines.append_column(ROW_ID_COLUMN, ids)
    if settings.provenance:
        lines = lines.append_column(PROVENANCE[0], pa.array(paths, pa.string()).take(at))
        lines = lines.append_column(PROVENANCE[1], number)
    return lines


def _file_key(path: str) -> str:
    """Return twelve characters that tell the file from any other."""
    return base64.urlsafe_b64encode(hashlib.sha256(path.encode()).digest()[:9]).decode()


def schema_of(settings: JsonlSettings, columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of the month's table."""
    fields: list[pa.Field[Any]] = [pa.field(ROW_ID_COLUMN, pa.string(), nullable=False)]
    if settings.provenance:
        file, line = PROVENANCE
        fields += [pa.field(file, pa.string()), pa.field(line, pa.int64())]
    fields += [column.field for column in columns]
    return pa.schema(fields)
