"""A DuckDB in memory that shares nothing with another process, its spilled data included."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines_project.working_folder import working_folder


@contextmanager
def duckdb_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that spills what does not fit into memory to a folder of its own.

    The names of DuckDB's temporary files are alike in all processes. Two that spill into one
    folder, which is `.tmp` in the working directory by default, overwrite and delete each other's.
    """
    with working_folder() as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            # Rows have no order, and not keeping one lets a load of any size stream.
            "preserve_insertion_order": False,
            "temp_directory": folder,
        }
        with duckdb.connect(config=config) as connection:
            yield connection
