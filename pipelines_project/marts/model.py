"""One SQL model: what its text says of itself, and which tables it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from pipelines_project.marts.header import Header, parse_header
from pipelines_project.marts.macros import Macro
from pipelines_project.marts.model_file import ModelFile, read_model_file
from pipelines_project.marts.month_wise import months_needed
from pipelines_project.marts.statements import read_statements
from pipelines_project.marts.tables_read import TableRead, tables_read
from pipelines_project.marts.variables import Value, with_values
from pipelines_project.names import checked_name
from pipelines_project.warehouse.columns import MONTH_COLUMN


@dataclass(frozen=True)
class SqlModel:
    """A model.

    Attributes:
        path: its file.
        sql: the SELECT, with the values of variables.
        header: what its first comment says.
        tables: where it reads tables of the warehouse.
        macros: those that it can call.
        before: statements that are run before it is built, in the same transaction.
        after: statements that are run after it is built, in the same transaction.
        file: what the tests.yaml beside it says.
    """

    path: Path
    sql: str
    header: Header = field(default_factory=Header)
    tables: tuple[TableRead, ...] = ()
    macros: tuple[Macro, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    file: ModelFile = field(default_factory=ModelFile)

    @property
    def name(self) -> str:
        """The name of the table and the asset, which is the file's."""
        return self.path.stem

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables that it reads, as `schema.table`, in their order."""
        return tuple(dict.fromkeys(table.name for table in self.tables))

    @property
    def description(self) -> str:
        """What its header says of its rows."""
        return self.header.description

    @property
    def is_incremental(self) -> bool:
        """Whether it is built month by month."""
        return self.header.materialized == "incremental"

    @property
    def column_descriptions(self) -> dict[str, str]:
        """What the comments of the select list, or else the file of tests, say of columns."""
        query = self.query
        while isinstance(query, exp.SetOperation):
            query = query.this.unnest()
        comments = {
            chosen.alias_or_name: " ".join(map(str.strip, chosen.comments))
            for chosen in query.selects
            if chosen.comments
        }
        return {**comments, **self.file.columns}

    @property
    def definition(self) -> str:
        """All of the SQL that its rows are made by."""
        return "\n".join([self.sql, *(macro.sql for macro in self.macros), *self.before])

    @cached_property
    def query(self) -> exp.Query:
        """The SELECT as sqlglot has parsed it; not to be changed."""
        return _parsed(self.sql)

    def of_months(self, read_from: str, first: str, last: str) -> str:
        """Return the SELECT of the rows of some months, made from the sources' rows of those alone.

        Args:
            read_from: the first month that is read, which is earlier where it looks back.
            first: the first month of the result.
            last: the last month of both.
        """
        written, end = list[str](), 0
        for table in sorted(self.tables, key=lambda read: read.start):
            source = self.sql[table.start : table.end]
            months = f"{MONTH_COLUMN} between '{read_from}' and '{last}'"
            written += [self.sql[end : table.start], f"(select * from {source} where {months})"]
            written += [] if table.has_alias else [f" as {table.alias}"]
            end = table.end
        sql = "".join([*written, self.sql[end:]])
        return f"select * from (\n{sql}\n) where {MONTH_COLUMN} between '{first}' and '{last}'"


def parse_model(
    path: Path, variables: Mapping[str, Value] | None = None, macros: Sequence[Macro] = ()
) -> SqlModel:
    """Read a model from its file, and the statements beside it.

    Args:
        path: the file.
        variables: the values of `$name` in it.
        macros: those that it can call.

    Raises:
        ValueError: it is not one SELECT in DuckDB's dialect, a name in it cannot be resolved to a
            table of a schema, or it is to be built by month and cannot be; it names the file.
    """
    checked_name(path.stem)
    text, values = path.read_text(encoding="utf-8").strip().rstrip(";"), variables or {}
    try:
        sql = with_values(text, values)
        query = _parsed(sql)
        tokens = sqlglot.tokenize(sql, dialect="duckdb")
        called = tuple(macro for macro in macros if macro.is_called(tokens))
        model = SqlModel(
            path,
            sql,
            parse_header(sql),
            tables_read(query),
            # A macro can call others.
            tuple(macros) if called else (),
            read_statements(path.with_suffix(".before.sql"), values),
            read_statements(path.with_suffix(".after.sql"), values),
            read_model_file(path.with_suffix(".tests.yaml")),
        )
        _check_kind(model, query, called)
    except (SqlglotError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return model


def _parsed(sql: str) -> exp.Query:
    """Return the one SELECT of the text, its names in lower case where DuckDB takes them so."""
    statements = sqlglot.parse(sql, dialect="duckdb")
    query = statements[0] if len(statements) == 1 else None
    if not isinstance(query, exp.Select | exp.SetOperation):
        raise ValueError("a model is one SELECT")
    return normalize_identifiers(query, dialect="duckdb")


def _check_kind(model: SqlModel, query: exp.Query, called: Sequence[Macro]) -> None:
    """Refuse what cannot be a view, or built by month."""
    header = model.header
    if header.materialized == "view" and called:
        raise ValueError(f"a view cannot call {called[0].name}: who reads it has no such macro")
    if header.materialized != "incremental":
        return
    text = "\n".join([model.sql, *(macro.sql for macro in model.macros)])
    needed = months_needed(query, sqlglot.tokenize(text, dialect="duckdb"))
    for macro in model.macros:
        if macro.body.find(exp.Window):
            raise ValueError(f"{macro.name} has a window: write it where it is used")
    if needed > header.lookback:
        raise ValueError(
            f"its windows look {needed} months back, and the header says {header.lookback}: write "
            f"`-- lookback: {needed}`"
        )
