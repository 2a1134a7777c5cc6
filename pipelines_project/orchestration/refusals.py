"""How a step ends that the project itself refuses: in plain words, which Dagster shows first."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
import duckdb

from pipelines_project.landing.errors import LandingError
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.warehouse.database import WarehouseError

REFUSALS = (SourceError, LandingError, WarehouseError)
"""The errors whose text says all there is to say; whoever reads it needs no stack trace."""


@contextmanager
def told_plainly(what: str, what_now: str) -> Generator[None]:
    """Let a refusal fail the step by its text alone; any other error keeps its stack trace.

    Args:
        what: which asset, or which file.
        what_now: how it was left and what to do, for the error's end.

    Raises:
        dagster.Failure: it was refused, or DuckDB refused the SQL.
    """
    try:
        yield
    except (*REFUSALS, duckdb.Error) as error:
        raise dg.Failure(f"{what}: {error}\n{what_now}", allow_retries=False) from None
