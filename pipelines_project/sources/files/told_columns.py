"""The types of columns as the values of some rows, or of all, tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from pipelines_project.sources.files.columns import Column
from pipelines_project.sources.files.text_types import TEXT, TextType, told_types
from pipelines_project.sql_text import quoted

_NANOSECONDS = TextType(
    "TIMESTAMP",
    "cast({x} as TIMESTAMP)",
    "cast({v} as TIMESTAMP_NS) is not distinct from {x}",
)
_NANOSECOND_TYPES = [_NANOSECONDS]
_NS_AS_TEXT = TextType("VARCHAR", "cast({x} as VARCHAR)", "true")


def told(
    connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[Column]
) -> tuple[list[Column], set[str]]:
    """Return the columns with their types, and the names of those that are null in every row.

    Args:
        connection: to DuckDB.
        rows: the query of the rows.
        columns: whose types are told if they have none.
    """
    if not columns:
        return [], set()
    some = ", ".join(f"cast(any_value({quoted(c.name)}) as varchar)" for c in columns)
    values = connection.execute(f"select {some} from ({rows})").fetchone() or ()
    vacant = {c.name for c, value in zip(columns, values, strict=True) if value is None}
    possible = {
        each.name: _NANOSECOND_TYPES if each.read == "TIMESTAMP_NS" else told_types(str(value))
        for each, value in zip(columns, values, strict=True)
        if each.type is None and value is not None
    }
    fits = _fitting(connection, rows, possible)
    return [replace(c, type=c.type or fits.get(c.name, _fallback(c))) for c in columns], vacant


def _fitting(
    connection: duckdb.DuckDBPyConnection, rows: str, possible: Mapping[str, Sequence[TextType]]
) -> dict[str, TextType]:
    """Return, of each column's types, the first that every row fits."""
    found: dict[str, TextType] = {}
    # A type further back is tried only where none before it fits.
    for rank in range(max(map(len, possible.values()), default=0)):
        tried = {
            name: types[rank]
            for name, types in possible.items()
            if name not in found and rank < len(types)
        }
        fits = (
            each.fits(quoted(name), each.value_of(quoted(name))) for name, each in tried.items()
        )
        misfits = ", ".join(f"count(*) filter (not {fit})" for fit in fits)
        if misfits:
            counts = connection.execute(f"select {misfits} from ({rows})").fetchone() or ()
            found |= {name: tried[name] for name, n in zip(tried, counts, strict=True) if not n}
    return found


def _fallback(column: Column) -> TextType:
    return _NS_AS_TEXT if column.read == "TIMESTAMP_NS" else TEXT
