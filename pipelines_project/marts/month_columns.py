"""Whether what a query selects, and what it groups by, keeps months apart."""

from collections.abc import Collection

from sqlglot import exp

from pipelines_project.marts.months_apart import parts, refused
from pipelines_project.marts.windows import is_month
from pipelines_project.warehouse.columns import MONTH_COLUMN


def check_branches(query: exp.SetOperation) -> None:
    """Refuse branches whose columns `month` do not meet in one column."""
    if query.args.get("by_name"):
        return
    branches = (query.this.unnest(), query.expression.unnest())
    if any(branch.is_star for branch in branches):
        raise refused(query, "list the columns of both sides, or write UNION BY NAME")
    places = {
        names.index(MONTH_COLUMN)
        for branch in branches
        if MONTH_COLUMN in (names := [name.lower() for name in branch.named_selects])
    }
    if len(places) > 1:
        raise refused(query, "month must be the same column on both sides")


def check_output(query: exp.Select, anchors: Collection[str]) -> None:
    """Refuse a select list whose column `month` is not the month of the row."""
    found = [each for each in query.expressions if _gives_month(each)]
    if len(found) != 1 or any(each.find(exp.Columns) for each in query.expressions):
        raise refused(query, "it must select one column month")
    (chosen,) = found
    if chosen.is_star:
        table = chosen.table.lower() if isinstance(chosen, exp.Column) else ""
        is_plain = table in anchors if table else not query.args.get("joins")
        if not is_plain:
            raise refused(chosen, "name the columns, month among them")
    elif not is_month(chosen.unalias(), anchors):
        raise refused(chosen, "month must be the column month of a table that every row comes from")


def _gives_month(chosen: exp.Expr) -> bool:
    if not chosen.is_star:
        return chosen.alias_or_name.lower() == MONTH_COLUMN
    star = chosen.this if isinstance(chosen, exp.Column) else chosen
    changed = [node for part in ("except_", "replace", "rename") for node in parts(star, part)]
    names = {name.lower() for node in changed for name in (node.alias_or_name, node.name)}
    return MONTH_COLUMN not in names


def check_groups(query: exp.Select, anchors: Collection[str]) -> None:
    """Refuse groups of rows of several months."""
    group = query.args.get("group")
    if group is None or group.args.get("all"):
        return
    for key in group.expressions:
        chosen = key
        if isinstance(key, exp.Literal) and key.is_int and int(key.name) <= len(query.expressions):
            chosen = query.expressions[int(key.name) - 1].unalias()
        if is_month(chosen, anchors):
            return
    raise refused(group, "group by month too")


def check_distinct(query: exp.Select, anchors: Collection[str]) -> None:
    """Refuse a DISTINCT ON that picks among rows of several months."""
    distinct = query.args.get("distinct")
    on = distinct.args.get("on") if distinct else None
    if on and not any(is_month(node, anchors) for node in on.expressions):
        raise refused(on, "name month too in DISTINCT ON")
