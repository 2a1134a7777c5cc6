"""How many months the window functions of a query look back."""

from collections.abc import Collection

import sqlglot
from sqlglot import exp

from pipelines_project.marts.months_apart import parts
from pipelines_project.warehouse.columns import MONTH_COLUMN

# By these keys the months have dates, and an interval before one of them is that many months.
_KEYS = [
    sqlglot.parse_one(key, dialect="duckdb")
    for key in ("cast(month || '-01' as date)", "strptime(month, '%Y-%m')")
]
_MONTHS = {"MONTH": 1, "MONTHS": 1, "YEAR": 12, "YEARS": 12}
LOOKS_BACK = (
    "a window must be partitioned by month, or be ORDER BY cast(month || '-01' as date) RANGE "
    "BETWEEN INTERVAL n MONTH PRECEDING AND CURRENT ROW, with `-- lookback: n` in the header"
)


def is_month(node: exp.Expr | None, relations: Collection[str]) -> bool:
    """Tell whether the expression is the column `month` of one of the relations."""
    if not isinstance(node, exp.Column) or node.name.lower() != MONTH_COLUMN:
        return False
    return not node.table or node.table.lower() in relations


def months_back(window: exp.Window, relations: Collection[str]) -> int | None:
    """Return how many months before its row's own a window sees, or None if that is not known.

    Args:
        window: where it is used, or its definition in the WINDOW clause.
        relations: those whose month is the row's.
    """
    is_named = isinstance(window.this, exp.Identifier)
    if any(is_month(key, relations) for key in parts(window, "partition_by")):
        return 0
    if window.args.get("alias") and not is_named:
        # What it takes from its definition is checked there.
        return 0
    spec, order = window.args.get("spec"), window.args.get("order")
    if is_named or spec is None or order is None or len(order.expressions) != 1:
        return None
    (key,) = order.expressions
    is_dated = not key.args.get("desc") and _undressed(key.this, relations) in _KEYS
    return _months_of(spec) if is_dated else None


def _undressed(key: exp.Expr, relations: Collection[str]) -> exp.Expr:
    """Return the expression with `month` written plainly wherever it is a relation's month."""

    def plain(node: exp.Expr) -> exp.Expr:
        return exp.column(MONTH_COLUMN) if is_month(node, relations) else node

    return key.copy().transform(plain)


def _months_of(spec: exp.WindowSpec) -> int | None:
    """Return the months before its row that a frame begins at, if it does not go beyond the row."""
    start, end = spec.args.get("start"), spec.args.get("end")
    ends = end in (None, "CURRENT ROW") or str(spec.args.get("end_side")).upper() == "PRECEDING"
    if str(spec.args.get("kind")).upper() != "RANGE" or not ends or spec.args.get("exclude"):
        return None
    if start == "CURRENT ROW":
        return 0
    is_preceding = str(spec.args.get("start_side")).upper() == "PRECEDING"
    if not is_preceding or not isinstance(start, exp.Interval):
        return None
    unit, value = str(start.args.get("unit")).upper(), start.this
    if unit not in _MONTHS or not isinstance(value, exp.Literal) or not value.name.isdecimal():
        return None
    return int(value.name) * _MONTHS[unit]
