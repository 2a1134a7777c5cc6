"""Which columns of which tables each column of a query is made from, as sqlglot tells."""

import logging
from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError

# sqlglot does not say what its schemas are dicts of.
from sqlglot.lineage import Node, lineage  # pyright: ignore[reportUnknownVariableType]

_LOG = logging.getLogger(__name__)

Origins = dict[str, list[tuple[str, str]]]
"""By column of the result, the tables, as `schema.table`, and columns that it is made from."""


def column_lineage(
    query: exp.Query, schemas: Mapping[str, Mapping[str, str]], columns: Sequence[str]
) -> Origins:
    """Return where the values of each column come from.

    Columns that only choose rows, as those of WHERE and ON do, are no origins. What sqlglot cannot
    tell is left out, and a query that it cannot follow has none: it is shown, and nothing hangs on
    it.

    Args:
        query: reads tables as `schema.table`.
        schemas: the type of each column of each of those tables.
        columns: of the result, as the database calls them: a column that the query does not name
            has another name for sqlglot.
    """
    nested: dict[str, dict[str, Mapping[str, str]]] = {}
    for name, types in schemas.items():
        schema, _, table = name.partition(".")
        nested.setdefault(schema, {})[table] = types
    if any(each.args.get("by_name") for each in query.find_all(exp.SetOperation)):
        _LOG.info("no column lineage of a UNION BY NAME, whose columns sqlglot takes in order")
        return {}
    try:
        found = lineage(None, query, schema=nested, dialect="duckdb")
    except (SqlglotError, ValueError) as error:
        _LOG.info("no column lineage of %s: %s", query.sql("duckdb")[:80], error)
        return {}
    if len(found) != len(columns):
        _LOG.info("sqlglot tells %s columns of %s, not %s", len(found), columns, len(columns))
        return {}
    told = {
        column: _origins(found[name], schemas) for column, name in zip(columns, found, strict=True)
    }
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
