"""Threads that each work on one block of lines at a time; the results come in the blocks' order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from pipelines_project.temporary import duckdb_session

_MOST_THREADS = 4
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class BlockWorkers:
    """A few threads, and one DuckDB database for their queries."""

    def __init__(self, database: duckdb.DuckDBPyConnection, threads: int) -> None:
        """Start the threads."""
        self._database = database
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lines")

    def map(
        self,
        work: Callable[[duckdb.DuckDBPyConnection, _Item], _Result],
        items: Iterable[_Item],
    ) -> Iterator[_Result]:
        """Yield what `work` makes of each item, in order; only a few items are held at a time."""
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(self._pool.submit(self._work, work, item))
                if len(waiting) > self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _work(
        self, work: Callable[[duckdb.DuckDBPyConnection, _Item], _Result], item: _Item
    ) -> _Result:
        with self._database.cursor() as connection:
            return work(connection, item)

    def close(self) -> None:
        """Wait for what is being worked on and stop the threads."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def block_workers() -> Generator[BlockWorkers]:
    """Give threads, as many as there are processors but at most four, and end them afterwards."""
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    # A query runs in the thread that asks for it, so that blocks and not queries are in parallel.
    with duckdb_session(threads=1) as database:
        workers = BlockWorkers(database, threads)
        try:
            yield workers
        finally:
            workers.close()
