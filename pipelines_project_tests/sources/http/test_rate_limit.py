"""The rate limit is kept to, and waiting for it has an end."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from starlette.responses import Response

from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.freshdesk_quota import Quota
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.lists import CREDITS, changed_rows
from pipelines_project.sources.freshdesk.pages import NumberedPages
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.rate_limit import RateLimit, retry_after_seconds
from pipelines_project_tests.help_desks import FEBRUARY, JANUARY, asking, companies
from pipelines_project_tests.metered import Meter, included_credits

_DESK = StoredHelpDesk({"companies": companies(550)})


def _companies(api: FreshdeskApi) -> int:
    return sum(len(page) for page in api.pages("companies", {}, NumberedPages()))


@pytest.mark.stack
def test_every_third_request_refused_for_a_second_loses_nothing() -> None:
    calls, quota = ApiCalls(), Quota(refuse_every=3)
    started = time.monotonic()
    with asking(_DESK, calls, quota=quota) as api:
        assert _companies(api) == 550

    # Six pages, and the third and the sixth request refused for one second each.
    assert (calls.count, quota.requests) == (8, 8)
    assert 2 <= time.monotonic() - started < 10


@pytest.mark.stack
def test_a_date_is_waited_for_as_seconds_are() -> None:
    faults = Faults()
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    faults.answer_next("companies", Response(status_code=429, headers={"Retry-After": date}))
    started = time.monotonic()
    with asking(_DESK, faults=faults) as api:
        assert _companies(api) == 550

    assert 1 <= time.monotonic() - started < 10


@pytest.mark.stack
def test_429_for_ever_ends_within_the_bound() -> None:
    calls = ApiCalls()
    started = time.monotonic()
    with (
        asking(_DESK, calls, RateLimit(max_wait_seconds=2.5), quota=Quota(refuse_every=1)) as api,
        pytest.raises(
            SourceError, match=r"answers 429.* after 2 s of waiting.*rate_limit_wait_seconds is 2"
        ),
    ):
        _companies(api)

    assert calls.count == 3
    assert time.monotonic() - started < 5


def test_a_wait_beyond_the_bound_is_not_begun_and_later_requests_are_not_sent() -> None:
    calls, quota = ApiCalls(), Quota(refuse_every=1, retry_after="1521")
    with asking(_DESK, calls, RateLimit(max_wait_seconds=900), quota=quota) as api:
        for _ in range(12):
            with pytest.raises(SourceError, match="asks to wait 1521 s"):
                _companies(api)

    assert calls.count == 1


@pytest.mark.stack
def test_requests_slow_down_before_the_reserve_is_touched() -> None:
    """Twelve credits a window, of which five stay free: at most seven requests, then a pause."""
    quota = Quota(total=12, window_seconds=1.2)
    desk = StoredHelpDesk({"companies": companies(1_050)})
    started = time.monotonic()
    with asking(desk, limit=RateLimit(reserve=5, window_seconds=1.3), quota=quota) as api:
        remaining = [
            int(page.response.headers["X-RateLimit-Remaining"])  # type: ignore[attr-defined]
            for page in api.pages("companies", {}, NumberedPages())
        ]

    assert len(remaining) == 11
    assert min(remaining) >= 5
    assert 1.3 <= time.monotonic() - started < 60


@pytest.mark.stack
def test_a_session_keeps_to_what_the_service_has_told_another() -> None:
    meter = Meter(allowed=1, window=0.8, tells=True)
    limit = RateLimit(reserve=0, window_seconds=meter.window)
    desk = StoredHelpDesk({"companies": companies(5)})
    with serving(meter.over(freshdesk_app(desk))) as url:
        for _ in range(2):
            assert _companies(FreshdeskApi(f"{url}/api/v2", KEY, ApiCalls(), limit)) == 5

    assert (meter.refused, len(meter.arrived)) == (0, 2)


@pytest.mark.stack
def test_sessions_that_begin_together_before_any_answer_do_not_go_over_the_limit() -> None:
    """Three sessions ask for tickets, which count seven credits each time, of 14 a window."""
    meter = Meter(latency=0.05, allowed=14, window=0.8, cost=included_credits, tells=True)
    limit = RateLimit(reserve=0, window_seconds=meter.window, credits=CREDITS["tickets"])
    with (
        serving(meter.over(freshdesk_app(StoredHelpDesk({"tickets": []})))) as url,
        ThreadPoolExecutor(3) as threads,
    ):
        apis = [FreshdeskApi(f"{url}/api/v2", KEY, ApiCalls(), limit) for _ in range(3)]
        lists = [changed_rows("tickets", api)(JANUARY, FEBRUARY) for api in apis]
        assert [*threads.map(next, lists)] == [[], [], []]

    assert (meter.refused, len(meter.arrived)) == (0, 3 * CREDITS["tickets"])


def test_a_reserve_above_the_plan_leaves_half_of_it() -> None:
    quota = Quota(total=40)
    with asking(_DESK, limit=RateLimit(reserve=1_000, window_seconds=30), quota=quota) as api:
        started = time.monotonic()
        assert _companies(api) == 550

    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (" 12 ", 12), ("1.5", 1.5), ("0", 1), ("", 60), ("soon", 60), ("-5", 60)],
)
def test_retry_after_is_read_in_seconds(header: str, seconds: float) -> None:
    assert retry_after_seconds(header, default=60) == seconds


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_retry_after_is_read_as_a_date(zone: str) -> None:
    date = f"{datetime.now(UTC) + timedelta(minutes=5):%a, %d %b %Y %H:%M:%S} {zone}"

    assert 297 < retry_after_seconds(date, default=60) <= 300
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT", default=60) == 1
