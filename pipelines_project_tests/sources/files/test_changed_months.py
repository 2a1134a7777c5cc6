"""Which months are asked for: those whose files are new, changed or gone, once they are settled."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pipelines_project.sources.files.changed_months import ChangedMonths, changed_months
from pipelines_project.sources.files.raw_files import RawFile

NOW = 1_700_000_000.0
A, B = RawFile("2024-01/a", 10, NOW - 1000, ""), RawFile("2024-02/b", 20, NOW - 1000, "x")
MONTHS = {"2024-01": [A], "2024-02": [B]}


def _look(
    months: Mapping[str, Sequence[RawFile]], seen: Mapping[str, Any], now: float = NOW
) -> ChangedMonths:
    return changed_months(months, seen, now, settle_seconds=30)


def test_at_first_every_month_is_new_and_then_none_is() -> None:
    first = _look(MONTHS, {})

    assert [*first.run_keys] == ["2024-01", "2024-02"]
    assert _look(MONTHS, first.seen) == ChangedMonths({}, first.seen, [])


@pytest.mark.parametrize(
    "files",
    [
        [A, RawFile("2024-01/late", 1, 5.0, "")],
        [A._replace(size=11)],
        [A._replace(modified=NOW - 500)],
        [A._replace(modified=5.0)],
        [A._replace(etag="new")],
        [A._replace(path="2024-01/renamed")],
    ],
)
def test_only_the_month_that_changed_is_asked_for(files: list[RawFile]) -> None:
    first = _look(MONTHS, {})
    second = _look({**MONTHS, "2024-01": files}, first.seen)

    assert [*second.run_keys] == ["2024-01"]
    assert second.run_keys["2024-01"] != first.run_keys["2024-01"]


def test_a_month_whose_files_are_all_gone_is_asked_for_once() -> None:
    first = _look(MONTHS, {})
    gone = _look({"2024-01": [A]}, first.seen)

    assert [*gone.run_keys] == ["2024-02"]
    assert _look({"2024-01": [A]}, gone.seen).run_keys == {}


def test_a_month_that_goes_back_to_what_it_was_is_asked_for_under_a_new_key() -> None:
    keys, seen = [], {}
    for size in (10, 11, 10):
        found = _look({"2024-01": [A._replace(size=size)]}, seen)
        keys.append(found.run_keys["2024-01"])
        seen = found.seen

    assert len(set(keys)) == 3


def test_a_look_that_is_repeated_asks_under_the_same_keys() -> None:
    assert _look(MONTHS, {}).run_keys == _look(MONTHS, {}).run_keys


@pytest.mark.parametrize(
    ("ago", "is_asked_for"), [(29.0, False), (31.0, True), (-29.0, False), (-3600.0, True)]
)
def test_a_file_that_was_changed_a_moment_ago_keeps_its_month_waiting(
    ago: float, is_asked_for: bool
) -> None:
    first = _look(MONTHS, {})
    months = {**MONTHS, "2024-01": [A, A._replace(path="2024-01/new", modified=NOW - ago)]}
    found = _look(months, first.seen)

    assert ([*found.run_keys], found.unsettled) == (
        (["2024-01"], []) if is_asked_for else ([], ["2024-01"])
    )
    assert [*_look(months, found.seen, NOW + 60).run_keys] == [] if is_asked_for else ["2024-01"]


def test_a_file_whose_filesystem_knows_no_times_does_not_wait() -> None:
    assert [*_look({"2024-01": [A._replace(modified=None)]}, {}).run_keys] == ["2024-01"]
