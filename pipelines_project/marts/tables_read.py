"""Where a query reads tables of the warehouse."""

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.scope import Scope, traverse_scope


@dataclass(frozen=True)
class TableRead:
    """One place where a query names a table.

    Attributes:
        name: the table as `schema.table`.
        start: where its name begins in the text.
        end: where it ends.
        alias: what the query calls it.
        has_alias: whether the text says so, after the name.
    """

    name: str
    start: int
    end: int
    alias: str
    has_alias: bool


def tables_read(query: exp.Query) -> tuple[TableRead, ...]:
    """Return where the query reads tables outside itself, in the order of its scopes.

    Args:
        query: as it was parsed from the text.

    Raises:
        ValueError: a name has no schema, or stands where no scope resolves it, as in a PIVOT.
    """
    selected = [pair for scope in traverse_scope(query) for pair in _selected(scope)]
    resolved = {id(node) for node, _ in selected}
    read = [source for _, source in selected if isinstance(source, exp.Table)]
    unresolved = [table for table in query.find_all(exp.Table) if id(table) not in resolved]
    unresolved += [table for table in read if not _is_schema_table(table)]
    if unresolved:
        names = ", ".join(table.sql("duckdb") for table in unresolved)
        raise ValueError(f"cannot resolve {names}: write every table as schema.table")
    # Two references can resolve to one node; each place counts once.
    return tuple({id(table): _place(table) for table in read}.values())


def _place(table: exp.Table) -> TableRead:
    return TableRead(
        name=f"{table.db}.{table.name}",
        start=table.args["db"].meta["start"],
        end=table.this.meta["end"] + 1,
        alias=exp.to_identifier(table.alias_or_name).sql("duckdb", identify=True),
        has_alias=bool(table.alias),
    )


def _selected(scope: Scope) -> list[tuple[exp.Selectable, exp.Table | Scope]]:
    """Return what the scope selects from: each name's node, and the table or scope it stands for.

    `Scope.selected_sources` leaves out what a SEMI or ANTI JOIN reads.

    Raises:
        OptimizeError: two of them have one name, so that it does not tell them apart.
    """
    names = [name for name, _ in scope.references]
    if twice := {name for name in names if name and names.count(name) > 1}:
        raise OptimizeError(f"Alias already used: {', '.join(sorted(twice))}")
    return [(node, scope.sources[name]) for name, node in scope.references if name in scope.sources]


def _is_schema_table(table: exp.Table) -> bool:
    """Tell whether it is written `schema.table`, and is no call of a table function."""
    return isinstance(table.this, exp.Identifier) and bool(table.db) and not table.catalog
