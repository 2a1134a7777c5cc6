"""The columns that a table has already, which a schema contract holds a month against."""

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import read_record
from pipelines_project.landing.zone import LandingZone


def landed_columns(zone: LandingZone, source: str, table: str, month: str) -> dict[str, str]:
    """Return the dlt type of each column of the table, none if nothing is landed.

    They are those of the month's current load; of a month that was never landed, those of the
    nearest landed month before it, or else after it.
    """
    others = [other for other in zone.months_with_files(source, table) if other != month]
    before = [other for other in reversed(others) if other < month]
    after = [other for other in others if other > month]
    for key in [month, *before, *after]:
        if (columns := _columns(zone.month(source, table, key))) is not None:
            return columns
    return {}


def _columns(month: LandedMonth) -> dict[str, str] | None:
    load_id = month.current_load()
    if load_id is None:
        return None
    try:
        return dict(read_record(month.fs, month.record_path(load_id)).schema)
    except (DamagedLoadError, FileNotFoundError):
        return None
