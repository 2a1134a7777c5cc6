"""Whether a month is to be landed at all: not if its rows would be made from the same answers."""

from pipelines_project.landing.month_folder import MonthFolder
from pipelines_project.landing.record import LoadRecord, has_recorded_files, read_record
from pipelines_project.sources.comparable import Comparable


def unchanged_load(place: MonthFolder, source: object) -> LoadRecord | None:
    """Return the record of the current load if landing the month now would land the same rows.

    The source is asked only if the load is whole and has recorded what it was made from.

    Args:
        place: the month.
        source: what extracts it; only a `Comparable` can tell.
    """
    if not isinstance(source, Comparable):
        return None
    current = next(iter(place.committed_loads()), None)
    record = read_record(place, current) if current else None
    if not record or not record.fetched:
        return None
    files = place.all_files_by_load().get(record.load_id, [])
    is_whole = has_recorded_files(place, record, files)
    return record if is_whole and source.ask(place.month) == record.fetched else None
