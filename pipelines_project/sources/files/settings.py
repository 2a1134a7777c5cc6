"""What a table of JSON lines is made from, and the names of what is added to its rows."""

from dataclasses import dataclass
from typing import Literal

from pipelines_project.sources.files.raw_files import RawFolder

ID_COLUMN = "_dlt_id"
PROVENANCE = ("source_file", "source_line")


@dataclass(frozen=True)
class JsonlSettings:
    """Where a table's lines are, and what becomes of those that do not fit.

    Attributes:
        table: the name of the table.
        folder: the files.
        on_bad_line: `fail` the month, or put such lines into the quarantine table.
        contract: whether a month may have new columns and wider types (`evolve`), fails if it has
            (`freeze`), or lands without the lines that bring them (`quarantine`).
        provenance: whether each row says its file and line.
    """

    table: str
    folder: RawFolder
    on_bad_line: Literal["fail", "quarantine"] = "fail"
    contract: Literal["evolve", "freeze", "quarantine"] = "evolve"
    provenance: bool = False
