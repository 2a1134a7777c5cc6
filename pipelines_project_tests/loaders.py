"""A loader made of two functions, for tests that step in where one is called."""

from collections.abc import Callable
from typing import ClassVar

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load

Write = Callable[[duckdb.DuckDBPyConnection, LandedMonth, Load, str], int]
IsComplete = Callable[[duckdb.DuckDBPyConnection, LandedMonth, Load, int], bool]


class LoaderOf:
    months_meet: ClassVar[bool] = False
    keeps_other_months: ClassVar[bool] = True

    def __init__(self, write: Write, is_complete: IsComplete) -> None:
        self._write, self._is_complete = write, is_complete

    def write(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, columns: str
    ) -> int:
        return self._write(connection, place, load, columns)

    def is_complete(
        self, connection: duckdb.DuckDBPyConnection, place: LandedMonth, load: Load, rows: int
    ) -> bool:
        return self._is_complete(connection, place, load, rows)
