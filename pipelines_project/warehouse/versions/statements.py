"""The statements by which a table is changed on purpose, told from their SQL.

Only what is here may stand in a version: a statement that is not understood could not be repeated
for the rows that are loaded after it.
"""

import re
from functools import lru_cache

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pipelines_project.names import MONTH_COLUMN
from pipelines_project.warehouse.versions.changes import (
    Change,
    ChangeType,
    CreateIndex,
    DropColumn,
    DropIndex,
    DropTable,
    RenameColumn,
)

# As dlt writes the names of columns.
_NAME = re.compile(r"[a-z0-9_]{1,250}")


@lru_cache
def parse(sql: str, source: str) -> tuple[Change, ...]:
    """Return the changes that the statements make to tables of a source.

    Raises:
        ValueError: one of them is no such statement; it is quoted.
    """
    try:
        statements = [
            each
            for each in sqlglot.parse(sql, dialect="duckdb")
            # A comment at the end is one.
            if each and not isinstance(each, exp.Semicolon)
        ]
    except SqlglotError as error:
        raise ValueError(f"it is no SQL: {error}") from error
    return tuple(_change(each, source) for each in statements)


def _change(statement: exp.Expr, source: str) -> Change:
    text = statement.sql("duckdb")[:200]
    try:
        change = _told(statement)
    except duckdb.Error as error:
        raise ValueError(f"{text}: {error}") from error
    # What is not taken from the statement, such as a USING or another schema, would be lost unseen.
    if change is None or _plain(sqlglot.parse_one(change.sql(source), dialect="duckdb")) != _plain(
        statement
    ):
        raise ValueError(
            f"{text}: only these can stand here, with tables as {source}.<table>: alter table … "
            "rename column a to b; … drop column a; … alter column a type t; create index i on … "
            "(a, b); drop index …; drop table …"
        )
    _check_names(change, text)
    return change


def _told(statement: exp.Expr) -> Change | None:
    """Return what the statement says as far as it is known, or None."""
    match statement:
        case exp.Alter(args={"actions": [exp.RenameColumn() as action]}):
            return RenameColumn(statement.this.name, action.this.name, action.args["to"].name)
        case exp.Alter(args={"actions": [exp.Drop(args={"tables": [exp.Column() as column]})]}):
            return DropColumn(statement.this.name, column.name)
        case exp.Alter(
            args={"actions": [exp.AlterColumn(args={"dtype": exp.DataType() as new}) as action]}
        ):
            return ChangeType(
                statement.this.name, action.name, str(duckdb.sqltype(new.sql("duckdb")))
            )
        case exp.Create(this=exp.Index(args={"table": exp.Table() as table}) as index):
            columns = tuple(each.name for each in index.find_all(exp.Ordered))
            return CreateIndex(table.name, index.name, columns)
        case exp.Drop(args={"kind": "INDEX", "tables": [exp.Table() as one]}):
            return DropIndex(one.name)
        case exp.Drop(args={"kind": "TABLE", "tables": [exp.Table() as one]}):
            return DropTable(one.name)
        case _:
            return None


def _plain(statement: exp.Expr) -> exp.Expr:
    """Return the statement without what makes no difference here."""
    tree = statement.copy()
    for name in tree.find_all(exp.Identifier):
        name.set("quoted", None)
    # An index and a table are created and dropped where they are not, or are, there already.
    if isinstance(tree, exp.Create | exp.Drop):
        tree.set("exists", None)
    return tree


def _check_names(change: Change, text: str) -> None:
    names = {name: value for name, value in vars(change).items() if name != "type"}
    for value in (*names.pop("columns", ()), *names.values()):
        if not _NAME.fullmatch(value):
            raise ValueError(f"{text}: {value[:80]!r} is no name: use a-z, 0-9 and _")
        if value == MONTH_COLUMN:
            raise ValueError(f"{text}: {value} says which month a row was landed for, and stays")
