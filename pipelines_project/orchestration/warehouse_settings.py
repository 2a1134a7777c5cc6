"""What the settings of the warehouse say of its assets: the pool of its writers, and its kind."""

import os

from pipelines_project.warehouse.attachment import UnusableUrlError, attachment, kind_of_url
from pipelines_project.warehouse.database import Warehouse

_POOL = "warehouse"


def warehouse_pool() -> str | None:
    """Return the pool of whatever writes to the warehouse, where it has one writer.

    A DuckDB file has, and DuckLake whose catalog is one. Correctness does not hang on it: it keeps
    runs from waiting for the file while they hold a worker.
    """
    try:
        has_many_writers = attachment(
            os.environ.get("WAREHOUSE_URL") or Warehouse.url,
            os.environ.get("WAREHOUSE_DATA_URL", ""),
        ).has_many_writers
    except UnusableUrlError:
        # The resource says what is wrong.
        return _POOL
    return None if has_many_writers else _POOL


def warehouse_kind() -> str:
    """Return what the warehouse is, which Dagster shows as the kind of its assets."""
    return kind_of_url(os.environ.get("WAREHOUSE_URL") or Warehouse.url).value
