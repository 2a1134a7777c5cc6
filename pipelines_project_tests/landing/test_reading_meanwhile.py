"""A reader never sees half a load of a month that is landed and tidied meanwhile."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of, write_load

pytestmark = pytest.mark.stack

ROWS = 3


def _rerun_by_dlt(zone: LandingZone, number: int) -> None:
    land(place_of(zone), [{"rerun": number}] * ROWS)


def _rerun_by_hand(zone: LandingZone, number: int) -> None:
    write_load(place_of(zone), str(time.time()), [[{"rerun": number}]] * ROWS)


@pytest.mark.parametrize(
    ("rerun", "reruns", "files"),
    [(_rerun_by_dlt, 6, 1), (_rerun_by_hand, 20, ROWS), (_rerun_by_hand, 100, ROWS)],
)
def test_a_reader_never_sees_half_a_load_of_a_month_that_is_rerun_again_and_again(
    landing: LandingZone, rerun: Callable[[LandingZone, int], None], reruns: int, files: int
) -> None:
    place = place_of(landing)
    rerun(landing, 0)

    def write() -> None:
        for number in range(1, reruns + 1):
            rerun(landing, number)
            place.delete(place.stale_files())

    seen, last = [0], ""
    with duckdb.connect(config={"threads": 1}) as connection, ThreadPoolExecutor(1) as writer:
        writing = writer.submit(write)
        while not (writing.done() and seen[-1:] == [reruns]):
            load = place.current_files()
            assert load is not None
            assert len(load.files) == files
            if load.load_id == last:
                continue  # Listing is where the race is: most turns go to it.
            query = "select rerun, count(*) from read_parquet($files) group by all"
            try:
                ((number, rows),) = connection.execute(query, {"files": load.files}).fetchall()
            except duckdb.IOException:
                continue  # Deleted since it was listed: the reader starts over.
            assert rows == ROWS
            seen.append(number)
            last = load.load_id
        writing.result()

    assert seen == sorted(seen)
    assert len(set(seen)) > 3
