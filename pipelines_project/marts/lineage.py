"""Which columns of which tables each column of a query is made from, as sqlglot tells."""

import logging
from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError

# sqlglot does not say what its schemas are dicts of.
from sqlglot.lineage import Node, lineage  # pyright: ignore[reportUnknownVariableType]

_LOG = logging.getLogger(__name__)

Origins = dict[str, list[tuple[str, str]]]
"""By column of the result, the tables, as `schema.table`, and columns that it is made from."""


def column_lineage(query: exp.Query, schemas: Mapping[str, Mapping[str, str]]) -> Origins:
    """Return where the values of each column come from.

    Columns that only choose rows, as those of WHERE and ON do, are no origins. What sqlglot cannot
    tell is left out, and a query that it cannot follow has none: it is shown, and nothing hangs on
    it.

    Args:
        query: reads tables as `schema.table`.
        schemas: the type of each column of each of those tables.
    """
    nested: dict[str, dict[str, Mapping[str, str]]] = {}
    for name, columns in schemas.items():
        schema, _, table = name.partition(".")
        nested.setdefault(schema, {})[table] = columns
    try:
        found = lineage(None, query, schema=nested, dialect="duckdb")
    except (SqlglotError, ValueError) as error:
        _LOG.info("no column lineage of %s: %s", query.sql("duckdb")[:80], error)
        return {}
    told = {column: _origins(node, schemas) for column, node in found.items()}
    return {column: origins for column, origins in told.items() if origins is not None}


def _origins(
    column: Node, schemas: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, str]] | None:
    """Return the columns of tables that a column comes from, or None if not all are known."""
    origins: set[tuple[str, str]] = set()
    for node in column.walk():
        if node.downstream:
            continue
        if isinstance(node.expression, exp.Table) and node.expression.db:
            table = f"{node.expression.db}.{node.expression.name}"
            name = node.name.rpartition(".")[2].strip('"')
            known = {each.lower(): each for each in schemas.get(table, {})}
            if name.lower() not in known:
                return None
            origins.add((table, known[name.lower()]))
        elif isinstance(node.expression, exp.Placeholder | exp.Star):
            return None
    return sorted(origins)
