"""A list is fetched once and read month by month."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from pipelines_project.sources.freshdesk.fetched_list import FetchedList
from pipelines_project.sources.freshdesk.pages import Row
from pipelines_project_tests.help_desks import FEBRUARY, JANUARY, text

_MARCH = datetime.fromisoformat("2024-03-01T00:00:00+00:00")


class _Api:
    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.breaks = False

    def fetch(self, since: datetime) -> Iterator[list[Row]]:
        self.asked.append(since)
        days = [JANUARY + timedelta(days=n) for n in range(60)]
        yield [{"id": n, "updated_at": text(day), "é": [n]} for n, day in enumerate(days)][:40]
        if self.breaks:
            raise ConnectionError
        yield [{"id": n, "updated_at": text(day), "é": [n]} for n, day in enumerate(days)][40:]


def _ids(fetched: FetchedList, start: datetime, end: datetime) -> list[int]:
    return [row["id"] for page in fetched.changed_between(start, end) for row in page]


def test_months_are_read_from_one_fetch() -> None:
    api = _Api()
    fetched = FetchedList(api.fetch)

    assert _ids(fetched, JANUARY, FEBRUARY) == list(range(31))
    assert _ids(fetched, FEBRUARY, _MARCH) == list(range(31, 60))
    assert _ids(fetched, JANUARY, FEBRUARY) == list(range(31))
    assert api.asked == [JANUARY]


def test_an_earlier_month_is_fetched_anew() -> None:
    api = _Api()
    fetched = FetchedList(api.fetch)
    _ids(fetched, FEBRUARY, _MARCH)

    assert _ids(fetched, JANUARY, FEBRUARY) == list(range(31))
    assert api.asked == [FEBRUARY, JANUARY]


def test_rows_come_back_as_they_were_fetched() -> None:
    rows = [
        row for page in FetchedList(_Api().fetch).changed_between(JANUARY, _MARCH) for row in page
    ]

    assert rows[41] == {"id": 41, "updated_at": "2024-02-11T00:00:00Z", "é": [41]}


def test_a_fetch_that_breaks_off_is_not_taken_for_the_list() -> None:
    api = _Api()
    fetched = FetchedList(api.fetch)
    api.breaks = True
    with pytest.raises(ConnectionError):
        _ids(fetched, JANUARY, _MARCH)
    api.breaks = False

    assert _ids(fetched, JANUARY, _MARCH) == list(range(60))
