"""Growth curves: the rows of each month as bars, drawn as SVG without any library."""

from collections.abc import Mapping
from dataclasses import dataclass

_WIDTH, _HEIGHT = 600, 96
# A few months are not drawn as blocks.
_LEAST = 18


@dataclass(frozen=True)
class Bar:
    """A month, in the coordinates of the drawing."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Curve:
    """The rows of a table or mart by month.

    Attributes:
        name: of the table or mart, in SQL.
        bars: in the order of time.
        first: the first month.
        last: the last one.
        most: the rows of the month that has most.
        total: the rows of all months.
    """

    name: str
    bars: list[Bar]
    first: str
    last: str
    most: int
    total: int

    @property
    def box(self) -> str:
        """The coordinates of the drawing, as SVG takes them."""
        return f"0 0 {_WIDTH} {_HEIGHT}"


def curve(name: str, rows: Mapping[str, int | None]) -> Curve | None:
    """Return the curve, or None if nothing has any rows.

    Args:
        name: of the table or mart.
        rows: by month, without gaps; None where nothing is known.
    """
    most = max([each or 0 for each in rows.values()], default=0)
    if not most:
        return None
    months, step = sorted(rows), _WIDTH / max(len(rows), _LEAST)
    bars = [
        _bar(month, rows[month], step * place, step, most) for place, month in enumerate(months)
    ]
    return Curve(name, bars, months[0], months[-1], most, sum(each or 0 for each in rows.values()))


def _bar(month: str, rows: int | None, x: float, step: float, most: int) -> Bar:
    # A month with a few rows is seen beside one with a million.
    height = max(1.5, _HEIGHT * rows / most) if rows else 0.0
    title = f"{month}: {'not known' if rows is None else f'{rows:,} rows'}"
    return Bar(
        round(x, 2), round(_HEIGHT - height, 2), round(step * 0.8, 2), round(height, 2), title
    )
