"""The rows of a sheet of an Excel file, or of a range of its cells, as Python values."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Cell = str | int | float | bool | time | date | datetime | timedelta
_EXACT_INTEGERS = 1 << 53
_RANGE = re.compile(r"([A-Z]{1,3})(\d*):([A-Z]{1,3})(\d*)")


def checked_cells(cells: str) -> str:
    """Return a part of a sheet if it is one.

    Raises:
        ValueError: it is written otherwise than `B3:F` or `B3:F20`.
    """
    if not _RANGE.fullmatch(cells):
        raise ValueError(f"{cells[:80]!r} is no range of cells: write B3:F or B3:F20")
    return cells


class SheetRows:
    """The rows of a sheet: the first that is not blank is the header."""

    def __init__(self, sheet: "CalamineSheet", cells: str | None, start_row: int) -> None:
        """Look at the sheet, or at a part of it, from a row on."""
        self._sheet = sheet
        self._bounds = _bounds(cells, start_row)
        first = next(self._filled(0), None)
        self._header_row, self.header = first or (0, list[Cell | None]())

    def __iter__(self) -> Iterator[tuple[int, list[Cell | None]]]:
        """Yield the number and the cells of each row below the header that is not blank."""
        return self._filled(self._header_row)

    def _filled(self, after: int) -> Iterator[tuple[int, list[Cell | None]]]:
        start = self._sheet.start
        if start is None:
            return
        top, bottom, left, right = self._bounds
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            if max(top, after + 1) <= number <= bottom:
                cells = [_cell(cell) for cell in [*[""] * start[1], *row][left:right]]
                if any(cell is not None for cell in cells):
                    yield number, cells

    def letters(self, index: int) -> str:
        """Return the letters of a column."""
        number, letters = self._bounds[2] + index + 1, ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("A") + rest) + letters
        return letters


def _bounds(cells: str | None, start_row: int) -> tuple[int, int, int, int | None]:
    """Return the first and last row, from 1, and the first column, from 0, and the one after."""
    last_row = 1 << 20
    match = cells and _RANGE.fullmatch(cells)
    if not match:
        return start_row, last_row, 0, None
    top, bottom = int(match[2] or 1), int(match[4] or last_row)
    return max(top, start_row), bottom, _number(match[1]) - 1, _number(match[3])


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _cell(cell: Cell) -> Cell | None:
    """Return what a cell holds; Excel has no integers, only numbers without a fraction."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT_INTEGERS:
        return int(cell)
    return None if cell == "" else cell
