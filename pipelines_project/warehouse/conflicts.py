"""Which transactions conflicted with another writer, or a new landing, and are tried again."""

import duckdb
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_random_exponential

from pipelines_project.warehouse.memory import is_out_of_memory

# Nobody is in the way of the second attempt of a load any more, which has the warehouse for itself.
_UNTOLD_ATTEMPTS = 3


class LoadChangedError(Exception):
    """The month was landed again while it was being loaded."""


def retried() -> Retrying:
    """Return the retry policy for transactions that conflict."""
    return Retrying(
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        retry=_is_passing,
        reraise=True,
    )


def is_untold(error: BaseException) -> bool:
    """Tell whether an error may be anything that PostgreSQL says.

    DuckDB hands on its text, which is in the server's language, and not its SQLSTATE; only the
    class is one of its own, the base of all others.
    """
    return type(error) is duckdb.Error


def _is_passing(state: RetryCallState) -> bool:
    """Tell whether the transaction conflicted with another, or with a new landing of its month."""
    error = state.outcome.exception() if state.outcome else None
    if error is None or is_out_of_memory(error):
        return False
    if is_untold(error):
        return state.attempt_number < _UNTOLD_ATTEMPTS
    # A file may go, for stale, between listing and reading; the next listing shows a newer load.
    gone = (FileNotFoundError, duckdb.IOException)
    return isinstance(error, (LoadChangedError, duckdb.TransactionException, *gone))
