"""The assertions of a model as queries that answer the rows for which they do not hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlglot import exp

from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model_file import Assertions
from pipelines_project.sql_text import qualified, quoted

_SAMPLE = 10


@dataclass(frozen=True)
class Assertion:
    """What holds for the rows of a mart.

    Attributes:
        name: the truth, as the name of a check.
        description: the same as a sentence.
        failing: the query of the rows for which it does not hold.
    """

    name: str
    description: str
    failing: str


def assertions_of(mart: Mart) -> list[Assertion]:
    """Return the assertions beside a model."""
    said: Assertions = mart.model.file.assertions
    found = [_not_null(mart, column) for column in said.not_null]
    for columns in said.unique:
        found.append(_unique(mart, [columns] if isinstance(columns, str) else columns))
    for accepted in said.accepted_values:
        values = ", ".join(exp.convert(value).sql("duckdb") for value in accepted.values)
        failing = f"select * from {mart.table} where {quoted(accepted.column)} not in ({values})"
        name = f"{accepted.column}_has_accepted_values"
        found.append(Assertion(name, f"{accepted.column} is one of {values}.", failing))
    for there in said.relationships:
        schema, _, table = there.table.partition(".")
        failing = (
            f"select mart.* from {mart.table} as mart "
            f"anti join {qualified(schema, table)} as other "
            f"on mart.{quoted(there.column)} = other.{quoted(there.field)} "
            f"where mart.{quoted(there.column)} is not null"
        )
        name = f"{there.column}_is_in_{schema}_{table}"
        text = f"Each {there.column} is a {there.field} of {there.table}."
        found.append(Assertion(name, text, failing))
    for name, sql in said.sql.items():
        found.append(Assertion(name, f"`{sql.strip()}` answers nothing.", sql.strip().rstrip(";")))
    return found


def failing_rows(
    connection: duckdb.DuckDBPyConnection, assertion: Assertion
) -> tuple[int, list[dict[str, Any]]]:
    """Return for how many rows an assertion does not hold, and some of them."""
    connection.execute(f"create or replace temp table failing as {assertion.failing}")
    [(rows,)] = connection.execute("select count(*) from temp.failing").fetchall()
    sample = connection.execute(f"from temp.failing limit {_SAMPLE}")
    names = [column[0] for column in sample.description or []]
    return rows, [dict(zip(names, row, strict=True)) for row in sample.fetchall()]


def _not_null(mart: Mart, column: str) -> Assertion:
    failing = f"select * from {mart.table} where {quoted(column)} is null"
    return Assertion(f"{column}_is_not_null", f"{column} is never null.", failing)


def _unique(mart: Mart, columns: Sequence[str]) -> Assertion:
    keys = ", ".join(map(quoted, columns))
    failing = f"select {keys}, count(*) as rows from {mart.table} group by all having count(*) > 1"
    text = f"Each ({', '.join(columns)}) is one row."
    return Assertion(f"{'_'.join(columns)}_is_unique", text, failing)
