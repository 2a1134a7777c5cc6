"""The account of a load of lines: as many are landed or quarantined as were read."""

import json
from typing import Any

import pyarrow.parquet

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.land_month import Details, NewLoad
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.names import quarantine_table
from pipelines_project.sources.files.json_lines import METADATA_KEY

# Its stubs know only a part of the types.
pq: Any = pyarrow.parquet


def accounted(new: NewLoad) -> Details:
    """Refuse a load that does not have every line, or that loses most of what is landed.

    Returns:
        How many lines were read and quarantined, from how many files, and what is new in the
        month's columns.

    Raises:
        LandingError: rows and quarantined lines are not as many as the lines that were read, or
            the month would lose more than half of its rows and `allow_shrink` is not set.
    """
    table = new.month.table
    read = _read_lines(new)
    rows, quarantined = new.rows_of(table), new.rows_of(quarantine_table(table))
    if (rows + quarantined, quarantined) != (read["lines_read"], read["lines_quarantined"]):
        raise LandingError(
            f"{new.month}: {read['lines_read']} lines were read, but {rows} rows and {quarantined} "
            "quarantined lines were made of them"
        )
    return {**read, **refuse_shrink(new)}


def _read_lines(new: NewLoad) -> dict[str, Any]:
    """Return what the load's files say of the lines that they were made from."""
    own = next(file for file in new.staged.files if file.table == new.month.table)
    metadata: dict[bytes, bytes] = pq.read_schema(own.path).metadata
    return json.loads(metadata[METADATA_KEY])
