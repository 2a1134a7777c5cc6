"""What the proof that a query keeps months apart is made of: its error, and constant queries."""

from sqlglot import exp
from sqlglot.optimizer.scope import Scope


class NotByMonthError(ValueError):
    """A query that cannot be built month by month; the message says which part of it, and why."""


def refused(node: exp.Expr, why: str) -> NotByMonthError:
    """Return the error that names a part of the query."""
    text = node.sql("duckdb")
    return NotByMonthError(f"{text if len(text) <= 80 else f'{text[:80]}…'}: {why}")


def parts(node: exp.Expr, name: str) -> list[exp.Expr]:
    """Return the expressions that a part of another consists of, if it has that part."""
    return list(node.args.get(name) or [])


def is_constant(scope: Scope) -> bool:
    """Tell whether it reads no table, nor does what it reads."""
    if any(table.db for table in scope.expression.find_all(exp.Table)):
        return False
    inner = (source for each in scope.traverse() for source in each.sources.values())
    ctes = (source for source in inner if isinstance(source, Scope) and source.is_cte)
    return all(is_constant(cte) for cte in ctes)
