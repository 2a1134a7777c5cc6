"""How much of DuckDB's budget a load takes: what its width needs first, and then all of it.

DuckDB fills whatever it may take with blocks that nobody reads again, so that the peak of a load
would grow with its rows. What it cannot do without hangs on the number of columns instead: each
thread holds some blocks of each.
"""

import re
from collections.abc import Callable

import duckdb

from pipelines_project.memory import (
    MEMORY_SETTING,
    THREAD_BYTES,
    THREADS_SETTING,
    Budget,
    duckdb_budget,
)

Effort = Callable[[int], Budget]
"""What a load of so many columns may take."""

_COLUMN_BYTES = 2 << 20
# From here on a second thread made a load no faster, and took half as much processor time again.
_WIDE = 100
# At a commit it is a `TransactionException`.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|could not allocate|failed to (allocate|pin)|could not free up enough memory",
    re.IGNORECASE,
)


def lean(columns: int) -> Budget:
    """Return what a load of so many columns should do with."""
    whole = duckdb_budget()
    threads = 1 if columns > _WIDE else whole.threads
    return Budget(min(whole.memory, threads * (THREAD_BYTES + columns * _COLUMN_BYTES)), threads)


def whole(_: int) -> Budget:
    """Return the whole budget with one thread, which is what needs least."""
    return Budget(duckdb_budget().memory, 1)


EFFORTS: tuple[Effort, ...] = (lean, whole)


def give(connection: duckdb.DuckDBPyConnection, budget: Budget) -> None:
    """Let DuckDB take this from now on; not inside a transaction."""
    for name, value in budget.settings().items():
        connection.execute(f"set {name} = '{value}'")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether DuckDB had too little memory for what it was asked."""
    return isinstance(error, duckdb.Error) and bool(_OUT_OF_MEMORY.search(str(error)))


def too_little_memory(table: str) -> str:
    """Return what to say of a month of a table that the budget cannot hold."""
    whole = duckdb_budget()
    return (
        f"this month of {table} does not fit into the memory that DuckDB may take, not even with "
        f"one thread: raise {MEMORY_SETTING} (now {whole.memory // 1_000_000}MB; {THREADS_SETTING} "
        f"is {whole.threads})"
    )
