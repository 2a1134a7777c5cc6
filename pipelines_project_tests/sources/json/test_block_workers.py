"""Blocks are worked on in parallel, come back in order, and are not held all at once."""

import time
from collections.abc import Iterator

import duckdb
import pytest

from pipelines_project.sources.json.block_workers import block_workers


def _square(connection: duckdb.DuckDBPyConnection, number: int) -> int:
    # The first ones take longest.
    time.sleep(0.01 if number < 3 else 0)
    return connection.execute("select $n * $n", {"n": number}).fetchall()[0][0]


def test_results_come_in_order() -> None:
    with block_workers() as workers:
        assert [*workers.map(_square, range(50))] == [n * n for n in range(50)]


def test_only_a_few_items_are_read_ahead() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    with block_workers() as workers:
        results = workers.map(_square, items())
        assert next(results) == 0
        assert len(read) < 10


def test_an_error_comes_at_its_place_and_ends_the_work() -> None:
    def fail(connection: duckdb.DuckDBPyConnection, number: int) -> int:
        if number == 2:
            raise ZeroDivisionError
        return number

    with block_workers() as workers:
        results = workers.map(fail, range(10))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
