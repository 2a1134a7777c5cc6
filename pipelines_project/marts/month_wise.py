"""Whether each month of a query's result hangs on the same month of its sources alone.

Only then a model can be built month by month to what building it whole comes to. It is shown by the
query's form, scope by scope; what is not known to keep months apart is refused. See docs/marts.md.
"""

from collections.abc import Collection, Sequence
from functools import cache

import duckdb
from sqlglot import Token, TokenType, exp
from sqlglot.optimizer.scope import Scope, build_scope

from pipelines_project.marts.month_columns import (
    check_branches,
    check_distinct,
    check_groups,
    check_output,
)
from pipelines_project.marts.month_joins import relations_of_month
from pipelines_project.marts.months_apart import NotByMonthError, is_constant, refused
from pipelines_project.marts.windows import LOOKS_BACK, months_back

# All other parts of a query, such as LIMIT, SAMPLE or PIVOT, are refused.
_PARTS = {
    exp.Select: {
        *("with_", "expressions", "from_", "joins", "where", "group", "having", "qualify"),
        *("windows", "order", "distinct", "hint"),
    },
    exp.SetOperation: {"with_", "this", "expression", "distinct", "by_name", "order"},
    exp.Table: {"this", "db", "alias"},
    exp.Join: {"this", "on", "using", "side", "kind"},
    exp.Group: {"expressions", "all"},
    exp.With: {"expressions"},
}


def months_needed(query: exp.Query, tokens: Sequence[Token]) -> int:
    """Return how many months before its own a month of the query's result hangs on.

    Args:
        query: whose tables, all of them, have a column `month` with the month of each row.
        tokens: of its text.

    Raises:
        NotByMonthError: it may hang on more, or the result has no column `month`.
    """
    _refuse_volatile(tokens)
    for clause in query.find_all(exp.With):
        if clause.args.get("recursive"):
            raise refused(clause, "a recursive query does not keep months apart")
    root = build_scope(query)
    if root is None or is_constant(root):
        raise NotByMonthError("it reads no table")
    return _needed(root)


def _needed(scope: Scope) -> int:
    query = scope.expression
    _refuse_other_parts(scope)
    if isinstance(query, exp.SetOperation):
        check_branches(query)
        return max(_needed(branch) for branch in scope.set_operation_scopes)
    if not isinstance(query, exp.Select):
        raise refused(query, "only SELECT keeps months apart")
    for subquery in scope.subquery_scopes:
        if not is_constant(subquery):
            raise refused(subquery.expression, "write a join on month instead of a subquery")
    anchors = relations_of_month(scope, query)
    check_output(query, anchors)
    check_groups(query, anchors)
    check_distinct(query, anchors)
    below = [_needed(source) for source in _scopes_read(scope) if not is_constant(source)]
    return _looks_back(scope, anchors) + max(below, default=0)


def _looks_back(scope: Scope, anchors: Collection[str]) -> int:
    found = [0]
    for window in scope.find_all(exp.Window):
        months = months_back(window, anchors)
        if months is None:
            raise refused(window, LOOKS_BACK)
        found.append(months)
    return max(found)


@cache
def _volatile_functions() -> frozenset[str]:
    """Return the functions whose answer is another one the next time."""
    with duckdb.connect() as connection:
        names = connection.execute(
            "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT'"
        ).fetchall()
    # With one argument, `age` counts from today.
    return frozenset(name for (name,) in names) - {"error"} | {"age"}


_NOW = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}


def _refuse_volatile(tokens: Sequence[Token]) -> None:
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        is_call = following is not None and following.token_type == TokenType.L_PAREN
        name = token.text.lower() if token.token_type != TokenType.STRING else ""
        if name in _NOW or (is_call and name in _volatile_functions()):
            raise NotByMonthError(f"{token.text} gives another answer each time")


def _scopes_read(scope: Scope) -> list[Scope]:
    found = (scope.sources.get(name) for name, _ in scope.references)
    return [source for source in found if isinstance(source, Scope)]


def _refuse_other_parts(scope: Scope) -> None:
    for kind, known in _PARTS.items():
        for node in scope.find_all(kind):
            for part, value in node.args.items():
                if value and part not in known:
                    raise refused(node, f"{part.strip('_').upper()} does not keep months apart")
    for column in scope.find_all(exp.Column):
        if column.args.get("db"):
            raise refused(column, "write it with the table's name or alias alone")
