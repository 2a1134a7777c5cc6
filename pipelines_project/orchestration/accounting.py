"""The account of a load of lines: as many are landed or quarantined as were read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files.json_lines import METADATA_KEY
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.rows import quarantine_table
from pipelines_project.table import NewLoad
from pipelines_project.temporary import duckdb_session


def accounted(new: NewLoad) -> dict[str, Any]:
    """Refuse a load that does not have every line, or that loses most of what is landed.

    Returns:
        How many lines were read and quarantined, from how many files, and what is new in the
        month's columns.

    Raises:
        SourceError: rows and quarantined lines are not as many as the lines that were read, or
            the month would lose more than half of its rows and `allow_shrink` is not set.
    """
    place = new.place
    prefix = f"{quarantine_table(place.table)}."
    refused = [file for file in new.files if Path(file).name.startswith(prefix)]
    landed = [file for file in new.files if file not in refused]
    read = _read_lines(new.zone, landed)
    rows, quarantined = rows_in(new.zone, landed), rows_in(new.zone, refused)
    if (rows + quarantined, quarantined) != (read["lines_read"], read["lines_quarantined"]):
        raise SourceError(
            f"{place}: {read['lines_read']} lines were read, but {rows} rows and {quarantined} "
            "quarantined lines were made of them"
        )
    landed_before = new.zone.files_to_replace(place.source, place.table, place.month)
    before = rows_in(new.zone, landed_before)
    if not new.allow_shrink and rows < before / 2:
        raise SourceError(
            f"{place}: {read['raw_files']} files have {rows} rows, where {before} are landed. If "
            "that is right, land the month with the run config allow_shrink: true"
        )
    return read


def rows_in(zone: LandingZone, files: Sequence[str]) -> int:
    """Return how many rows parquet files have together."""
    if not files:
        return 0
    with duckdb_session() as connection:
        zone.register(connection)
        query = "select sum(num_rows) from parquet_file_metadata($files)"
        return int(connection.execute(query, {"files": files}).fetchall()[0][0])


def _read_lines(zone: LandingZone, files: Sequence[str]) -> dict[str, Any]:
    """Return what the load's files say of the lines that they were made from."""
    with duckdb_session() as connection:
        zone.register(connection)
        found = connection.execute(
            "select value from parquet_kv_metadata($files) where key = $key",
            {"files": files, "key": METADATA_KEY},
        ).fetchall()
    return json.loads(found[0][0])
