"""Rows tell when they changed, and a list without an order is read to its end."""

from datetime import datetime, timedelta

import pytest
from starlette.responses import JSONResponse

from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sources.freshdesk.pages import NumberedPages, updated_at
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project_tests.help_desks import asking, companies


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_a_list_without_order_is_read_page_by_page_to_its_end(count: int) -> None:
    with asking(StoredHelpDesk({"companies": companies(count)})) as api:
        rows = [row for page in api.pages("companies", {}, NumberedPages()) for row in page]

    assert rows == companies(count)


def test_a_list_that_answers_every_page_alike_is_an_error_and_not_endless() -> None:
    faults = Faults()
    faults.answer_always("companies", JSONResponse([{"id": n} for n in range(100)]))
    with (
        asking(StoredHelpDesk({}), faults=faults) as api,
        pytest.raises(SourceError, match="the page before"),
    ):
        list(api.pages("companies", {}, NumberedPages()))


@pytest.mark.parametrize(
    ("written", "hour"),
    [("2024-01-05T10:00:00Z", 10), ("2024-01-05T10:00:00+05:30", 4), ("2024-01-05T10:00:00", 10)],
)
def test_times_with_an_offset_are_read_as_utc(written: str, hour: int) -> None:
    moment = updated_at({"id": 1, "updated_at": written})

    assert (moment.hour, moment.utcoffset()) == (hour, timedelta())
    assert isinstance(moment, datetime)
