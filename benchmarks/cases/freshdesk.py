"""Months of Freshdesk tickets from an API on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks import commands
from benchmarks.case import Case, Contender, Figures
from benchmarks.commands import data_settings, first_months, plain_script
from benchmarks.measure import in_process
from benchmarks.server import FIRST_MONTH, service
from pipelines_project.months import month_start, next_month
from pipelines_project.sandbox.freshdesk import KEY
from pipelines_project.sources.freshdesk.api import FreshdeskApi
from pipelines_project.sources.freshdesk.lists import changed_rows
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.http.rate_limit import RateLimit

_TICKETS = 5_000
_KEYS = ("landing/freshdesk/tickets", "warehouse/freshdesk/tickets")


@dataclass(frozen=True)
class TicketMonths:
    """The months to fetch, and where from."""

    url: str
    months: list[str]

    def transfer(self) -> None:
        """Ask for every page of every month, as the plain script does, and keep nothing."""
        with requests.Session() as session:
            session.auth = (KEY, "X")
            for month in self.months:
                asked = {
                    "updated_since": f"{month}-01T00:00:00Z",
                    "order_by": "updated_at",
                    "order_type": "asc",
                    "include": "description,stats,requester",
                    "per_page": "100",
                }
                answer = session.get(f"{self.url}/tickets", params=asked)
                while answer.json()[-1]["updated_at"][:7] == month and "next" in answer.links:
                    answer = session.get(answer.links["next"]["url"])

    def fetch(self) -> None:
        """Ask for every page as the project does, and keep nothing."""
        changed = changed_rows("tickets", FreshdeskApi(self.url, KEY, ApiCalls(), RateLimit()))
        for month in self.months:
            for _ in changed(month_start(month), month_start(next_month(month))):
                pass


@contextmanager
def ticket_months(count: int, tickets: int = _TICKETS) -> Iterator[TicketMonths]:
    """Serve months in which about so many tickets change."""
    with service("freshdesk", tickets) as url:
        served = TicketMonths(f"{url}/api/v2", first_months(count))
        served.transfer()
        served.fetch()
        yield served


def _ours(served: TicketMonths, place: Path) -> Figures:
    settings = {
        "FRESHDESK_API_URL": served.url,
        "FRESHDESK_API_KEY": KEY,
        "FRESHDESK_START_MONTH": FIRST_MONTH,
        **data_settings(place / "ours"),
    }
    return commands.materialize(_KEYS, served.months, settings)


def _plain(served: TicketMonths, place: Path) -> Figures:
    return plain_script("freshdesk_months", place / "plain", served.url, KEY, *served.months)


def _transfer(served: TicketMonths, _place: Path) -> Figures:
    return in_process(served.transfer)


FRESHDESK_BACKFILL = Case(
    name="freshdesk_backfill",
    what="Months in which some 5,000 tickets change, without a rate limit: "
    "`dagster asset materialize` with the warehouse, a dlt script that only lands them, and the "
    "bare HTTP transfer.",
    unit="months",
    sizes={1: 3, 12: 3},
    prepared=lambda size, _: ticket_months(size),
    contenders={
        "ours": Contender(_ours),
        "plain dlt": Contender(_plain),
        "http": Contender(_transfer),
    },
)
