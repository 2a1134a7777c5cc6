"""One SQL model: what its text says of itself, and which tables it reads."""

from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from pipelines_project.names import checked_name


@dataclass(frozen=True)
class SqlModel:
    """A model: the SELECT, the tables it reads as `schema.table`, its comment as description."""

    path: Path
    sql: str
    reads: tuple[str, ...]
    description: str

    @property
    def name(self) -> str:
        """The name of the table and the asset, which is the file's."""
        return self.path.stem


def parse_model(path: Path) -> SqlModel:
    """Read a model from its file.

    Raises:
        ValueError: it is not one SELECT in DuckDB's dialect, or a name in it cannot be resolved
            to a table of a schema; it names the file.
    """
    checked_name(path.stem)
    sql = path.read_text(encoding="utf-8").strip().rstrip(";")
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
        if len(statements) != 1 or not isinstance(statements[0], exp.Select | exp.SetOperation):
            raise ValueError(f"{path}: a model is one SELECT")
        reads = _tables_read(path, statements[0])
    except SqlglotError as error:
        raise ValueError(f"{path}: {error}") from error
    return SqlModel(path, sql, reads, _leading_comment(sql))


def _tables_read(path: Path, query: exp.Query) -> tuple[str, ...]:
    """Return the tables outside the query that it reads, in order.

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
        raise ValueError(f"{path}: cannot resolve {names}: write every table as schema.table")
    return tuple(dict.fromkeys(f"{table.db}.{table.name}" for table in read))


def _selected(scope: Scope) -> list[tuple[exp.Selectable, exp.Table | Scope]]:
    """Return what the scope selects from: each name's node, and the table or scope it stands for.

    `Scope.selected_sources` leaves out what a SEMI or ANTI JOIN reads.

    Raises:
        OptimizeError: two of them have one name, so that it does not tell them apart.
    """
    names = [name for name, _ in scope.references]
    if twice := {name for name in names if names.count(name) > 1}:
        raise OptimizeError(f"Alias already used: {', '.join(sorted(twice))}")
    return [(node, scope.sources[name]) for name, node in scope.references if name in scope.sources]


def _is_schema_table(table: exp.Table) -> bool:
    """Tell whether it is written `schema.table`, and is no call of a table function."""
    return isinstance(table.this, exp.Identifier) and bool(table.db) and not table.catalog


def _leading_comment(sql: str) -> str:
    lines: list[str] = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)
