"""The schema contract: what a month may have that the table did not have before."""

from collections.abc import Mapping, Sequence

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.files.settings import PROVENANCE
from pipelines_project.sources.json.columns import Column
from pipelines_project.sources.json.exact_numbers import LONG_INTEGER
from pipelines_project.sources.json.lines import Rule
from pipelines_project.sources.json.shape import BIGINT, BOOLEAN, DOUBLE, merged, pointer_literal

_KINDS = {
    BOOLEAN: ["BOOLEAN"],
    BIGINT: ["BIGINT", "UBIGINT"],
    DOUBLE: ["BIGINT", "UBIGINT", "DOUBLE"],
}


_DUCKDB_TYPES = {"text": "VARCHAR", "bigint": BIGINT, "double": DOUBLE, "bool": BOOLEAN}
_ADDED = {*DLT_COLUMNS, *PROVENANCE}


def duckdb_types(landed: Mapping[str, str]) -> dict[str, str]:
    """Return the DuckDB type of each column that came from lines, given the dlt type of all."""
    return {name: _DUCKDB_TYPES[kind] for name, kind in landed.items() if name not in _ADDED}


def changes(columns: Sequence[Column], before: Mapping[str, str]) -> list[Rule]:
    """Return how a month's columns go beyond those of before; none if there were none.

    Args:
        columns: of the month.
        before: the DuckDB type of each column that the table has.
    """
    if not before:
        return []
    rules = (_change(column, before) for column in columns if not is_object(column, before))
    return [rule for rule in rules if rule]


def is_object(column: Column, before: Mapping[str, str]) -> bool:
    """Tell whether a column without values is an object that the table has columns of."""
    return column.is_vacant and column.name not in before and _has_parts(column, before)


def _has_parts(column: Column, before: Mapping[str, str]) -> bool:
    return any(name.startswith(f"{column.name}__") for name in before)


def _change(column: Column, before: Mapping[str, str]) -> Rule | None:
    at = pointer_literal(column.path)
    have = before.get(column.name)
    if have is None and _has_parts(column, before):
        text = f"column {column.name!r} is not an object, as it was before"
        return Rule(text, f"json_type(line, {at}) not in ('OBJECT', 'NULL')")
    if have is None:
        return Rule(f"new column {column.name!r} ({column.type})", f"json_exists(line, {at})")
    if column.is_vacant or merged(column.type, have) == have:
        return None
    kinds = ", ".join(f"'{kind}'" for kind in [*_KINDS.get(have, []), "NULL"])
    broken = f"json_type(line, {at}) not in ({kinds})"
    value = f"json_extract_string(line, {at})"
    if have == BIGINT:
        broken += f" or try_cast({value} as bigint) is null and {value} is not null"
    if have == DOUBLE:
        # DuckDB calls an integer beyond 64 bits a double.
        broken += (
            f" or regexp_full_match({value}, '-?[0-9]+') "
            f"and coalesce(abs(try_cast({value} as hugeint)) > {LONG_INTEGER}, true)"
        )
    return Rule(f"column {column.name!r} is not {have}, as it was before", broken)
