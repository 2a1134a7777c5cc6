"""The rows of one raw file, as a query of DuckDB that is the same for every format."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import duckdb

from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.settings import FileSettings
from pipelines_project.sources.json.raw_lines import BadLine
from pipelines_project.sql_text import literal, quoted

LINE = "#line"
"""The column of a part's query that numbers its rows, by the lines they begin on if it has any."""


def _no_bad_lines() -> Iterator[BadLine]:
    return iter(())


@dataclass(frozen=True)
class Part:
    """The rows of one raw file.

    Attributes:
        index: of the file in the month's list.
        file: the raw file.
        columns: their names in the file, each once.
        types: the DuckDB type of each.
        number: the SQL of a row's number.
        selected: the SQL of each column's value.
        source: the SQL that the rows are selected from.
        rows: how many there are if the file is sound.
        bad: how many lines of the file are no rows.
        bad_lines: yields those.
    """

    index: int
    file: RawFile
    columns: Sequence[str]
    types: Sequence[str]
    number: str
    selected: Sequence[str]
    source: str
    rows: int
    bad: int = 0
    bad_lines: Callable[[], Iterator[BadLine]] = field(default=_no_bad_lines)

    @property
    def query(self) -> str:
        """The query of `#line` and the columns as `c0`, `c1`, …."""
        return self._query(self.number)

    @property
    def unnumbered(self) -> str:
        """The same with null for `#line`: counting rows takes DuckDB as long as one thread does."""
        return self._query("cast(null as bigint)")

    def _query(self, number: str) -> str:
        columns = (f"{value} as {column(at)}" for at, value in enumerate(self.selected))
        return f"select {', '.join([f'{number} as {quoted(LINE)}', *columns])} from {self.source}"


@dataclass(frozen=True)
class Reading:
    """A place for files that a reader makes, the settings it goes by, and DuckDB."""

    settings: FileSettings
    place: Path
    connection: duckdb.DuckDBPyConnection


def unique(names: Iterable[str]) -> list[str]:
    """Return the names of a file's columns with a number after one that was there before.

    It is written as `A #2`, so that it is not a column `A 2` of another month.
    """
    given = [*names]
    found: list[str] = []
    for name in given:
        numbers = (f"{name} #{number}" for number in count(2))
        free = (each for each in numbers if each not in found and each not in given)
        found.append(next(free) if name in found else name)
    return found


def column(index: int) -> str:
    """Return what a part's query calls a column."""
    return f"c{index}"


def struct(types: Mapping[str, str]) -> str:
    """Return names and types as a struct in SQL."""
    return "{" + ", ".join(f"{literal(n)}: {literal(t)}" for n, t in types.items()) + "}"
