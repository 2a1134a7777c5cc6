"""The columns that a table has already, which the schema contract holds a month against."""

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files.settings import ID_COLUMN, PROVENANCE
from pipelines_project.temporary import duckdb_session

_ADDED = {ID_COLUMN, "_dlt_load_id", *PROVENANCE}


def landed_columns(zone: LandingZone, source: str, table: str, month: str) -> dict[str, str]:
    """Return the DuckDB type of each column that came from the lines, none if nothing is landed.

    They are those of the month's current load; of a month that was never landed, those of the
    nearest landed month before it, or else after it.
    """
    landed = zone.months(source, table)
    before = [other for other in landed if other <= month]
    nearest = before[-1] if before else next(iter(landed), None)
    files = zone.files_to_replace(source, table, nearest) if nearest else []
    if not files:
        return {}
    with duckdb_session() as connection:
        zone.register(connection)
        columns = connection.execute(
            "describe select * from read_parquet($files, union_by_name = true, "
            "hive_partitioning = false)",
            {"files": files},
        ).fetchall()
    return {name: kind for name, kind, *_ in columns if name not in _ADDED}
