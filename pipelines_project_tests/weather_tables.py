"""Tables of the weather service, landed without Dagster."""

from typing import Any

from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.rest_api.client import Client
from pipelines_project.sources.rest_api.configuration import RestTable
from pipelines_project.sources.rest_api.endpoint import Endpoint
from pipelines_project.sources.rest_api.tables import RestTables
from pipelines_project_tests.landings import place_of
from pipelines_project_tests.weather_api import WeatherApi

WINDOW = {"from": "{month.start}", "to": "{month.end}"}
MONTH = "2024-02"
PAGED: dict[str, Any] = {
    "params": WINDOW,
    "paginator": {"type": "page_number", "base_page": 1},
    "data_selector": "data",
}
_OF_TABLE = ("columns", "include_from_parent", "key", "cursor")


def weather_tables(api: WeatherApi, client: dict[str, Any], **tables: dict[str, Any]) -> RestTables:
    """Return tables by the attributes of their endpoints."""
    found = [
        RestTable(
            name,
            Endpoint(**{key: value for key, value in each.items() if key not in _OF_TABLE}),
            **{key: value for key, value in each.items() if key in _OF_TABLE},
        )
        for name, each in tables.items()
    ]
    return RestTables(Client(base_url=f"{api.url}/v1/", **client), found, MONTH)


def land_table(
    tables: RestTables,
    zone: LandingZone,
    calls: ApiCalls | None = None,
    name: str = "readings",
    month: str = MONTH,
    **options: Any,
) -> Landed:
    """Land a month of one of them."""
    extract = tables.extract(name, calls or ApiCalls())
    return land_month(place_of(zone, month, name), extract, refuse_shrink, **options)
