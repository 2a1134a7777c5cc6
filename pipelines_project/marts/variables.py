"""The variables of models, `$name` in their SQL: values of a `defs.yaml` as literals."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import sqlglot
from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlglot import Token, TokenType, exp

Value = str | int | float | bool | date | datetime | list[str] | list[int] | list[float]
"""What a variable can be; SQL has it as a literal of that type."""


_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VALUE = TypeAdapter[Value](Value, config=ConfigDict(strict=True, allow_inf_nan=False))


def checked_variables(variables: Mapping[str, Any]) -> dict[str, Value]:
    """Return the variables if SQL can have each by its name and as a literal.

    Raises:
        ValueError: a name is not one, or a value is of another type, such as null.
    """
    checked: dict[str, Value] = {}
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is no name of a variable: use a-z, 0-9 and _")
        try:
            checked[name] = _VALUE.validate_python(value)
        except ValidationError as error:
            raise ValueError(
                f"{name} is {str(value)[:80]!r}: write a text, a number, true or false, a date, or "
                "a list of texts or of numbers"
            ) from error
    return checked


def with_values(sql: str, variables: Mapping[str, Value]) -> str:
    """Return the SQL with a literal in place of each `$name`, and all else as it was.

    sqlglot finds the names, so that those in strings and comments stay, and writes the literals, so
    that no value is anything but a value.

    Raises:
        ValueError: there is no variable of a name.
    """
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    written, end = list[str](), 0
    for dollar, name in _names(tokens):
        if name.text not in variables:
            there_are = ", ".join(sorted(variables)) or "none"
            raise ValueError(f"${name.text} is no variable in vars of defs.yaml: {there_are}")
        written += [sql[end : dollar.start], _literal(variables[name.text])]
        end = name.end + 1
    return "".join([*written, sql[end:]])


def _names(tokens: list[Token]) -> list[tuple[Token, Token]]:
    """Return each dollar sign that a name follows at once, with the name."""
    return [
        (dollar, name)
        for dollar, name in pairwise(tokens)
        if dollar.token_type == TokenType.PARAMETER and name.start == dollar.end + 1
    ]


def _literal(value: Value) -> str:
    # In parentheses, so that what is before it binds to a negative number, a cast or a list as one.
    return f"({exp.convert(value).sql('duckdb')})"
