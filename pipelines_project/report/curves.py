"""Values of each month as bars, rows or means, drawn as SVG without any library."""

from collections.abc import Callable, Mapping
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
    """The rows of a table or mart by month, or the mean of a column.

    Attributes:
        name: of the table or mart, in SQL, or of the column.
        bars: in the order of time.
        first: the first month.
        last: the last one.
        most: the value of the month that has most.
        total: the values of all months together.
    """

    name: str
    bars: list[Bar]
    first: str
    last: str
    most: float
    total: float

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
    return _curve(name, rows, "{:,} rows".format)


def means(column: str, values: Mapping[str, float | None]) -> Curve | None:
    """Return the means of a column by month, or None if none is above zero."""
    return _curve(column, values, "{:,.4g}".format)


def _curve(
    name: str, values: Mapping[str, float | None], told: Callable[[float], str]
) -> Curve | None:
    most = max([each or 0 for each in values.values()], default=0)
    if most <= 0:
        return None
    months, step = sorted(values), _WIDTH / max(len(values), _LEAST)
    bars = [
        _bar(
            _height(values[month], most),
            f"{month}: {'not known' if (found := values[month]) is None else told(found)}",
            step * place,
            step,
        )
        for place, month in enumerate(months)
    ]
    total = sum(each or 0 for each in values.values())
    return Curve(name, bars, months[0], months[-1], most, total)


def _height(value: float | None, most: float) -> float:
    # A month with a few rows is seen beside one with a million.
    return max(1.5, _HEIGHT * value / most) if value else 0.0


def _bar(height: float, title: str, x: float, step: float) -> Bar:
    return Bar(
        round(x, 2), round(_HEIGHT - height, 2), round(step * 0.8, 2), round(height, 2), title
    )
