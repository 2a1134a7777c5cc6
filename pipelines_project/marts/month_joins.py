"""Which of the relations that a query joins have the month of its rows."""

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from pipelines_project.marts.months_apart import is_constant, parts, refused
from pipelines_project.marts.windows import is_month
from pipelines_project.warehouse.columns import MONTH_COLUMN

_KINDS = ("", "INNER", "CROSS", "SEMI", "ANTI", "OUTER")


def relations_of_month(scope: Scope, query: exp.Select) -> set[str]:
    """Return the names of the relations whose `month` is that of the row, from FROM and joins."""
    anchors = set[str]()
    first = query.args["from_"].this
    if _is_monthly(scope, first):
        anchors.add(first.alias_or_name.lower())
    for join in parts(query, "joins"):
        if isinstance(join, exp.Join):
            _check_join(scope, join, anchors)
    if not anchors:
        raise refused(query, "no row of it has a month")
    return anchors


def _check_join(scope: Scope, join: exp.Join, anchors: set[str]) -> None:
    """Refuse a join of rows of different months; add the relation if its month is the row's."""
    name = join.this.alias_or_name.lower()
    side, kind = (join.args.get("side") or "").upper(), (join.args.get("kind") or "").upper()
    if side not in ("", "LEFT") or kind not in _KINDS:
        raise refused(join, "only inner, left, semi, anti and cross joins keep months apart")
    if not _is_monthly(scope, join.this):
        return
    is_inner = not side and kind in ("", "INNER", "CROSS")
    if anchors:
        _check_same_month(scope, join, anchors, name, is_inner)
    elif not is_inner:
        raise refused(join, "begin with a table that has months")
    if is_inner:
        anchors.add(name)


def _check_same_month(
    scope: Scope, join: exp.Join, anchors: set[str], name: str, is_inner: bool
) -> None:
    if any(column.name.lower() == MONTH_COLUMN for column in parts(join, "using")):
        return
    conditions = [join.args.get("on")]
    if is_inner and (where := scope.expression.args.get("where")):
        conditions.append(where.this)
    for condition in conditions:
        for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
            node = part.unnest() if part else None
            if isinstance(node, exp.EQ):
                sides = [node.this, node.expression]
                both = any(is_month(side, {name}) and side.table for side in sides)
                if both and any(is_month(side, anchors) and side.table for side in sides):
                    return
    raise refused(join, "join on month too, such as `and a.month = b.month`")


def _is_monthly(scope: Scope, relation: exp.Expr) -> bool:
    """Tell whether it has months, and is not constant or made of the row of another."""
    source = scope.sources.get(relation.alias_or_name)
    if isinstance(relation, exp.Table | exp.Subquery) and relation.alias_or_name:
        if isinstance(source, Scope):
            return not is_constant(source)
        return isinstance(relation, exp.Table) and bool(relation.db)
    if any(table.db for table in relation.find_all(exp.Table)):
        raise refused(relation, "only tables and subqueries with an alias keep months apart")
    return False
