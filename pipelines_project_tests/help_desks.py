"""Help desks for tests, and the source's way to them over real HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.help_desk import HelpDesk, Row
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.http.rate_limit import RateLimit

JANUARY = datetime(2024, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2024, 2, 1, tzinfo=UTC)


@contextmanager
def asking(
    desk: HelpDesk,
    calls: ApiCalls | None = None,
    limit: RateLimit | None = None,
    key: str = KEY,
    **options: Any,
) -> Iterator[FreshdeskApi]:
    """Serve a help desk and give the API as the source uses it."""
    with serving(freshdesk_app(desk, **options)) as url:
        yield FreshdeskApi(f"{url}/api/v2", key, calls or ApiCalls(), limit or RateLimit())


def ticket(number: int, updated: datetime, **fields: Any) -> Row:
    return {
        "id": number,
        "subject": f"ticket {number}",
        "created_at": "2023-12-31T00:00:00Z",
        "updated_at": text(updated),
        **fields,
    }


def tickets_every_second(count: int, first: datetime = JANUARY) -> list[Row]:
    return [ticket(number, first + timedelta(seconds=number)) for number in range(count)]


def companies(count: int) -> list[Row]:
    return [{"id": n, "name": f"{n:04d}", "updated_at": text(JANUARY)} for n in range(count)]


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
