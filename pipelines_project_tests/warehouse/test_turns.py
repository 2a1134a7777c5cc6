"""Transactions that could write the same rows wait for each other, and others do not."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import duckdb
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse, transaction
from pipelines_project.warehouse.turns import (
    WHOLE_WAREHOUSE,
    Turn,
    has_turns,
    of_month,
    of_table,
    turn,
)
from pipelines_project_tests.landings import place_of

pytestmark = pytest.mark.every_warehouse

Taken = Callable[[list[Turn]], bool]


@contextmanager
def _held(warehouse: Warehouse, turns: list[Turn]) -> Iterator[Taken]:
    """Hold turns, and give what tells whether another connection gets others meanwhile."""
    waiting: list[threading.Thread] = []
    with warehouse.connect() as holder, warehouse.connect() as other:

        def is_free(others: list[Turn]) -> bool:
            taken = threading.Event()

            def take() -> None:
                with other.cursor() as cursor, turn(cursor, others):
                    taken.set()

            waiting.append(threading.Thread(target=take))
            waiting[-1].start()
            return taken.wait(1)

        with turn(holder, turns):
            yield is_free
        for thread in waiting:
            thread.join(10)
            assert not thread.is_alive()


def test_only_what_can_write_the_same_rows_waits(
    warehouse: Warehouse, landing: LandingZone
) -> None:
    january, february = place_of(landing, "2023-01"), place_of(landing, "2023-02")
    with warehouse.connect() as connection:
        if not has_turns(connection):
            pytest.skip("a file has one writer")

    with _held(warehouse, of_month(january)) as is_free:
        assert is_free(of_month(february))
        assert is_free(of_table("demo", "others"))
        assert not is_free(of_month(january))
    with _held(warehouse, of_month(january)) as is_free:
        assert not is_free(of_table("demo", "events"))
    with _held(warehouse, of_month(january)) as is_free:
        assert not is_free(WHOLE_WAREHOUSE)


def test_what_others_have_committed_is_seen_when_it_is_ones_turn(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        if not has_turns(connection):
            pytest.skip("a file has one writer")
        connection.execute("create schema demo; create table demo.counted as select 0 as n")

    def count(_: int) -> None:
        with warehouse.connect() as connection:
            for _ in range(3):
                with turn(connection, of_table("demo", "counted")), transaction(connection):
                    [(n,)] = connection.execute("select n from demo.counted").fetchall()
                    connection.execute(f"update demo.counted set n = {n + 1}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    assert warehouse.rows("select n from demo.counted") == [(12,)]


def _make_and_stop(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table demo.made as select 1 as n")
    raise KeyboardInterrupt


def test_a_table_that_was_rolled_back_is_not_there(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("create schema demo")
        with (
            pytest.raises(KeyboardInterrupt),
            turn(connection, of_table("demo", "made")),
            transaction(connection),
        ):
            _make_and_stop(connection)

        with pytest.raises(duckdb.CatalogException):
            connection.execute("from demo.made")
