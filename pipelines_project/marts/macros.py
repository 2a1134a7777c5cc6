"""The macros of a source's models: the `CREATE MACRO` statements in `marts/macros/*.sql`."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from pipelines_project.marts.statements import read_statements
from pipelines_project.marts.variables import Value

_CREATE = {"CREATE", "OR", "REPLACE", "TEMP", "TEMPORARY"}


@dataclass(frozen=True)
class Macro:
    """A macro that every model of the folder can call.

    Attributes:
        name: the macro.
        sql: the statement that creates it for the session, so that any warehouse can have it.
        body: what it stands for.
    """

    name: str
    sql: str
    body: exp.Expr

    def is_called(self, tokens: list[Token]) -> bool:
        """Tell whether some SQL calls the macro."""
        return any(
            token.text.lower() == self.name.lower() and after.token_type == TokenType.L_PAREN
            for token, after in pairwise(tokens)
        )


def read_macros(folder: Path, variables: Mapping[str, Value]) -> tuple[Macro, ...]:
    """Read the macros of a folder, in the order of its files.

    Raises:
        ValueError: a statement creates no macro of a value, or the macro reads a table, which
            would be a dependency that no model shows; it names the file.
    """
    found: list[Macro] = []
    for path in sorted(folder.glob("*.sql")):
        statements = read_statements(path, variables)
        try:
            found += [_macro(sql) for sql in statements]
        except (SqlglotError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error
    return tuple(found)


def _macro(sql: str) -> Macro:
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    words = [token.text.upper() for token in tokens]
    at = next((n for n, word in enumerate(words) if word not in _CREATE), 0)
    begins = next((n for n, word in enumerate(words) if word == "AS" and n > at), 0)
    is_macro = at and begins and words[at] in ("MACRO", "FUNCTION") and words[at + 2] == "("
    if not is_macro or words[begins + 1] == "TABLE":
        raise ValueError("a macro is written CREATE MACRO name(…) AS expression")
    body = sqlglot.parse_one(sql[tokens[begins + 1].start :], dialect="duckdb")
    if body.find(exp.Table):
        raise ValueError(f"{tokens[at + 1].text} reads a table: let the models read it")
    name = tokens[at + 1].text
    return Macro(name, f"create or replace temp macro {sql[tokens[at + 1].start :]}", body)
