"""What a month costs the storage does not depend on how many months and loads there are."""

from collections import Counter
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project_tests.landings import ids_ago, land, write_load

MONTHS = [f"{2000 + number // 12}-{number % 12 + 1:02d}" for number in range(100)]


class CountingFileSystem(MemoryFileSystem):
    """A store that counts what it is asked."""

    cachable = False
    # Not `mkdir`: the folders above are made once, and stores that charge for requests have none.
    counted = ("ls", "info", "exists", "isdir", "makedirs", "find", "glob", "open", "cat_file")
    counted += ("pipe_file", "put_file", "rm_file", "rm", "mv", "cp_file")

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[str, Any] = {}
        self.pseudo_dirs: list[str] = [""]
        self.asked = Counter[str]()

    def __getattribute__(self, name: str) -> Any:
        if name in type(self).counted:
            self.asked[name] += 1
        return super().__getattribute__(name)


def _place(store: Any, month: str) -> LandedMonth:
    """Return a month in a store, of which fsspec states no types."""
    return LandedMonth(store, "/landing/demo", "demo", "events", month)


def _asked(place: LandedMonth) -> Counter[str]:
    """Land a month twice, tidy it and read it, and return what the store was asked."""
    store: Any = place.fs
    store.asked.clear()
    for number in range(2):
        land(place, [{"id": number}], verify=refuse_shrink)
        place.delete(place.stale_files())
        assert place.current_files()
    return Counter(store.asked)


@pytest.mark.stack
def test_the_hundredth_month_costs_what_the_first_did() -> None:
    store = CountingFileSystem()
    first, *between, last = [_place(store, month) for month in MONTHS]
    of_the_first = _asked(first)
    for place in between:
        for load_id in ids_ago(20, 10):
            write_load(place, load_id)

    assert _asked(last) == of_the_first
    assert _asked(first) == _asked(last)
    assert of_the_first["ls"] > 0


def test_a_landing_lists_the_month_twice_and_reads_one_record() -> None:
    store = CountingFileSystem()
    place = _place(store, MONTHS[0])
    write_load(place, ids_ago(10)[0])
    store.asked.clear()

    land(place, [{"id": 1}])

    # Its folder and that of its quarantine, before it is fetched and after it is published.
    assert store.asked["ls"] == 4
    assert store.asked["cat_file"] == 1
    assert (store.asked["put_file"], store.asked["pipe_file"]) == (1, 1)
    assert not store.asked.keys() & {"find", "glob", "rm", "rm_file", "mv"}
