"""The loads that were superseded long ago, in the whole landing zone."""

from collections.abc import Iterator

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingZone


def old_loads(zone: LandingZone, before: float) -> Iterator[tuple[LandedMonth, list[str]]]:
    """Yield each month that has such loads, with their files, those of their quarantine too.

    The current load stays however old it is, with what it has quarantined. So does what is older
    than a damaged one.

    Args:
        zone: the landing zone.
        before: loads from before this, in seconds since 1970.
    """
    for source, table in zone.tables():
        for name in zone.months_with_files(source, table):
            month = zone.month(source, table, name)
            look = month.listing()
            try:
                stale = {*month.stale_files(look=look)}
            except DamagedLoadError:
                continue
            old = [load_id for load_id in look.files if float(load_id) < before]
            files = [path for each in old for path in month.files_of_load(each, look)]
            if found := [path for path in files if path in stale]:
                yield month, found
