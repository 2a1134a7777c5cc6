"""A DuckDB in memory that shares nothing with another process, its spilled data included."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines_project.working_folder import working_folder


@contextmanager
def duckdb_session(**config: bool | int | str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that spills what does not fit into memory to a folder of its own.

    The names of DuckDB's temporary files are alike in all processes. Two that spill into one
    folder, which is `.tmp` in the working directory by default, overwrite and delete each other's.

    Args:
        config: more settings of DuckDB.
    """
    with (
        working_folder() as folder,
        duckdb.connect(config={**config, "temp_directory": folder}) as connection,
    ):
        yield connection
