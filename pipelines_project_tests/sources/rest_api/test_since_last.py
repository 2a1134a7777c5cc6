"""A month that goes on is landed again by what changed, and holds what one full fetch would."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.rest_api.client import Client
from pipelines_project.sources.rest_api.configuration import RestTable
from pipelines_project.sources.rest_api.endpoint import Endpoint
from pipelines_project.sources.rest_api.paginators import PageNumber
from pipelines_project.sources.rest_api.since_last import ChangeCursor, changed_at
from pipelines_project.sources.rest_api.tables import RestTables
from pipelines_project_tests.landings import place_of, rows_of

MONTH = datetime.now(UTC).strftime("%Y-%m")
START = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@dataclass
class Orders:
    """Orders of this month, with when each changed last; and what was asked."""

    url: str = ""
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    now: datetime = START

    def change(self, number: int, **values: Any) -> None:
        self.now += timedelta(microseconds=1)
        changed = {"id": number, "updated_at": self.now.isoformat(), **values}
        self.rows[number] = {**self.rows.get(number, {}), **changed}


@pytest.fixture
def orders() -> Iterator[Orders]:
    served = Orders()

    async def answer(request: Request) -> Response:
        query = dict(request.query_params)
        served.asked.append(query)
        since, page = query.get("updated_since", ""), int(query["page"])
        found = [r for r in served.rows.values() if not since or _at(r) >= _parsed(since)]
        return JSONResponse({"data": found[page * 20 : page * 20 + 20]})

    with serving(Starlette(routes=[Route("/orders", answer)])) as served.url:
        yield served


def _at(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["updated_at"])


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _tables(orders: Orders, overlap: float = 0) -> RestTables:
    cursor = ChangeCursor(
        column="updated_at", params={"updated_since": "{since}"}, overlap_seconds=overlap
    )
    endpoint = Endpoint(
        params={"from": "{month.start}"},
        data_selector="data",
        paginator=PageNumber(type="page_number"),
    )
    table = RestTable("orders", endpoint, key=("id",), cursor=cursor)
    return RestTables(Client(base_url=orders.url), [table], MONTH)


def _land(orders: Orders, zone: LandingZone, unchanged: bool = False, **options: Any) -> Landed:
    extract = _tables(orders, **options).extract("orders", ApiCalls())
    place = place_of(zone, MONTH, "orders")
    return land_month(place, extract, refuse_shrink, land_unchanged=unchanged)


def _rows(zone: LandingZone) -> list[dict[str, Any]]:
    rows = rows_of(zone, place_of(zone, MONTH, "orders").current_files())
    own = ("_dlt_id", "_dlt_load_id")
    return sorted(
        ({k: v for k, v in row.items() if k not in own} for row in rows), key=lambda row: row["id"]
    )


@pytest.mark.stack
def test_a_chain_of_changes_holds_what_one_full_fetch_does(
    orders: Orders, landing: LandingZone
) -> None:
    chance = random.Random(13)
    for number in range(200):
        orders.now += timedelta(seconds=1)
        orders.change(number, paid=False)
    _land(orders, landing)
    full_fetch = len(orders.asked)
    orders.asked.clear()
    for _ in range(8):
        orders.now += timedelta(seconds=2)
        for _ in range(chance.randrange(8)):
            orders.change(chance.randrange(220), paid=chance.random() < 0.5)
        _land(orders, landing)

    by_changes = _rows(landing)
    assert len(orders.asked) <= 8 * 2 < 8 * full_fetch
    _land(orders, landing, unchanged=True)
    assert by_changes == _rows(landing)
    assert by_changes == sorted(orders.rows.values(), key=lambda row: row["id"])


def test_what_is_asked_for_begins_before_the_last_change(
    orders: Orders, landing: LandingZone
) -> None:
    orders.change(1, paid=False)
    _land(orders, landing, overlap=60)
    assert "updated_since" not in orders.asked[0]
    orders.asked.clear()

    orders.change(2, paid=True)
    landed = _land(orders, landing, overlap=60)

    since = (START - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert orders.asked[0]["updated_since"] == since
    assert orders.asked[0]["from"] == f"{START:%Y-%m-%d}"
    assert (landed.rows, landed.details["rows_changed"]) == (2, 2)


def test_no_change_keeps_the_load(orders: Orders, landing: LandingZone) -> None:
    orders.change(1, paid=False)
    first = _land(orders, landing)
    orders.rows.clear()

    assert _land(orders, landing).load_id == first.load_id


def test_a_row_that_does_not_say_when_it_changed_is_named(
    orders: Orders, landing: LandingZone
) -> None:
    orders.rows[1] = {"id": 1, "updated_at": None}

    with pytest.raises(Exception, match="'None' in updated_at, which is no time: correct cursor"):
        _land(orders, landing)


@pytest.mark.stack
def test_a_service_whose_clock_is_ahead_hides_nothing(orders: Orders, landing: LandingZone) -> None:
    orders.now = datetime.now(UTC) + timedelta(days=400)
    orders.change(1, paid=False)
    _land(orders, landing)
    orders.asked.clear()

    _land(orders, landing)

    assert _parsed(orders.asked[0]["updated_since"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("value", "since"),
    [(1717243200, "1717243200"), (1717243200000, "1717243200"), ("2024-06-01T12:00", "1717243200")],
)
def test_a_cursor_is_text_or_unix_time_and_asked_for_in_any_form(value: Any, since: str) -> None:
    cursor = ChangeCursor(column="at", params={"q": "at>{since:%s}"})

    assert cursor.asked(changed_at({"at": value}, "at")) == {"q": f"at>{since}"}


def test_parameters_without_the_instant_are_refused() -> None:
    with pytest.raises(ValueError, match=r"params must have \{since\}"):
        ChangeCursor(column="at", params={"updated_since": "yesterday"})
