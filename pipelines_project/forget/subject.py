"""Whose rows are forgotten, and which rows of a table those are."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

QUARANTINED_TEXT = "line"


@dataclass(frozen=True)
class Subject:
    """A person, as one table names it.

    Attributes:
        column: the table's column that tells whose a row is.
        value: what stands there for the person.
    """

    column: str
    value: str

    def of_rows(self, rows: pa.Table) -> "pa.ChunkedArray[Any]":
        """Tell of each row whether it is the person's; none is where there is no such column."""
        if self.column not in rows.column_names:
            return _nowhere(rows)
        column = rows[self.column]
        try:
            wanted = pa.scalar(self.value).cast(column.type)
        except pa.ArrowException:
            return _nowhere(rows)
        return pc.fill_null(pc.equal(column, wanted), False)

    def of_quarantined(self, rows: pa.Table) -> "pa.ChunkedArray[Any]":
        """Tell of each quarantined line whether the value stands in it, whatever else does."""
        return pc.match_substring_regex(rows[QUARANTINED_TEXT], self.pattern)

    def among(self, table: str) -> Callable[[str, pa.Table], "pa.ChunkedArray[Any]"]:
        """Return what tells of rows of a landed table, or of its quarantine, which are theirs."""
        return lambda name, rows: (self.of_rows if name == table else self.of_quarantined)(rows)

    def is_in(self, text: str) -> bool:
        """Tell whether the value stands in the text as a word of its own."""
        return bool(re.search(self.pattern, text, re.ASCII))

    @property
    def pattern(self) -> str:
        """The value as a word of its own, as it is or as JSON escapes it."""
        spellings = {self.value, json.dumps(self.value)[1:-1]}
        either = "|".join(sorted(map(re.escape, spellings)))
        return rf"(^|\W)({either})(\W|$)"


def _nowhere(rows: pa.Table) -> "pa.ChunkedArray[Any]":
    return pa.chunked_array([pa.repeat(pa.scalar(False), len(rows))])
