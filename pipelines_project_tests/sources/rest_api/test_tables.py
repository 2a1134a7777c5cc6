"""A month of a REST API's table: each kind of paging and of key, parents, and what is unchanged."""

from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.look import look
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project_tests.landings import place_of, rows_of
from pipelines_project_tests.weather_api import CLIENT_SECRET, WeatherApi
from pipelines_project_tests.weather_tables import MONTH, PAGED, WINDOW, land_table, weather_tables


def _days(zone: LandingZone, name: str = "readings", month: str = MONTH) -> list[str]:
    rows = rows_of(zone, place_of(zone, month, name).current_files())
    return sorted(row["day"] for row in rows)


FEBRUARY = [f"2024-02-{day:02d}" for day in range(1, 30)]


@pytest.mark.parametrize(
    ("path", "paginator", "selector", "requests"),
    [
        ("readings", {"type": "page_number", "base_page": 1}, "data", 4),
        ("readings", {"type": "page_number", "base_page": 1, "maximum_page": 3}, "data", 4),
        ("by_offset", {"type": "offset", "limit": 10}, "data", 4),
        ("by_offset", {"type": "offset", "limit": 10, "total_path": "total"}, None, 3),
        ("by_cursor", {"type": "cursor", "cursor_path": "next"}, "items", 3),
        ("by_link", "header_link", None, 3),
        ("by_link", "auto", "$", 3),
        ("by_cursor", "auto", "items", 3),
    ],
)
def test_a_month_lands_whole_whatever_way_its_pages_follow_each_other(
    api: WeatherApi,
    landing: LandingZone,
    path: str,
    paginator: Any,
    selector: str | None,
    requests: int,
) -> None:
    calls = ApiCalls()
    endpoint = {"path": path, "params": WINDOW, "paginator": paginator, "data_selector": selector}

    landed = land_table(weather_tables(api, {}, readings=endpoint), landing, calls)

    assert _days(landing) == FEBRUARY
    assert (landed.rows, calls.count) == (29, requests)
    assert landed.schema["station__tags"] == "text"


def test_a_cursor_goes_into_the_body_of_a_post_beside_braces_of_its_own(
    api: WeatherApi, landing: LandingZone
) -> None:
    endpoint = {
        "path": "by_cursor?from={month.start}&to={month.end}",
        "method": "post",
        "json": {"query": "{ readings { id } }", "of": ["{month.start:%Y%m}"]},
        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_body_path": "cursor"},
        "data_selector": "items",
    }

    assert land_table(weather_tables(api, {}, readings=endpoint), landing).rows == 29


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token_env": "WEATHER_TOKEN"},
        {"type": "api_key", "name": "X-Key", "api_key_env": "WEATHER_TOKEN"},
        {"type": "api_key", "name": "appid", "location": "query", "api_key_env": "WEATHER_TOKEN"},
        {
            "type": "http_basic",
            "username_env": "WEATHER_USER",
            "password_env": "WEATHER_TOKEN",
        },
    ],
)
def test_every_page_is_asked_for_with_the_key(
    api: WeatherApi, landing: LandingZone, auth: dict[str, str]
) -> None:
    endpoint = {"path": "secret", "params": WINDOW, "paginator": "header_link"}

    assert land_table(weather_tables(api, {"auth": auth}, readings=endpoint), landing).rows == 29


@pytest.mark.stack
def test_a_token_is_got_once_for_a_run_of_many_months(
    api: WeatherApi, landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_CLIENT", "pipelines")
    monkeypatch.setenv("WEATHER_SECRET", CLIENT_SECRET)
    auth = {
        "type": "oauth2_client_credentials",
        "access_token_url": f"{api.url}/oauth/token",
        "client_id_env": "WEATHER_CLIENT",
        "client_secret_env": "WEATHER_SECRET",
    }
    endpoint = {"path": "secret", "params": WINDOW, "paginator": "header_link"}
    calls = ApiCalls()
    extract = weather_tables(api, {"auth": auth}, readings=endpoint).extract("readings", calls)
    for month in ("2024-01", "2024-02"):
        land_month(place_of(landing, month, "readings"), extract, refuse_shrink)

    assert len(api.faults.asked("oauth/token")) == 1
    assert calls.count == len(api.faults.requests) == 1 + 4 + 3


def test_a_header_takes_its_value_from_the_environment(
    api: WeatherApi, landing: LandingZone
) -> None:
    client = {"headers": {"X-Key": {"env": "WEATHER_TOKEN"}, "X-Shop": "north"}}
    endpoint = {"path": "secret", "params": WINDOW, "paginator": "header_link"}

    land_table(weather_tables(api, client, readings=endpoint), landing)

    assert {asked.headers["X-Shop"] for asked in api.faults.requests} == {"north"}


def test_a_child_is_asked_for_by_each_row_of_its_parent(
    api: WeatherApi, landing: LandingZone
) -> None:
    tables = weather_tables(
        api,
        {},
        stations={},
        readings={
            "path": "stations/{station}/readings",
            "params": {**WINDOW, "station": _resolved("stations", "id")},
            "data_selector": "data",
            "include_from_parent": ["name"],
        },
    )

    land_table(tables, landing)

    rows = rows_of(landing, place_of(landing, MONTH, "readings").current_files())
    assert sorted(row["day"] for row in rows) == FEBRUARY
    assert {(row["station__id"], row["_stations_name"]) for row in rows} == {
        (0, "roof"),
        (1, "yard"),
    }
    assert (tables.is_snapshot("stations"), tables.is_snapshot("readings")) == (True, False)


def test_a_look_at_a_child_asks_by_the_first_page_of_its_parent(
    api: WeatherApi, landing: LandingZone
) -> None:
    child = {"path": "stations/{resources.readings.station.id}/readings", "data_selector": "data"}
    tables = weather_tables(api, {}, readings=PAGED, near={**child, "params": WINDOW})

    looked = look(place_of(landing, MONTH, "near"), tables.extract("near", ApiCalls()), 3)

    assert looked.rows.num_rows == 3
    assert len(api.faults.requests) == 1 + 10


def test_a_child_of_a_parent_with_a_window_is_no_snapshot(api: WeatherApi) -> None:
    tables = weather_tables(
        api,
        {},
        readings={"params": WINDOW},
        notes={"path": "readings/{resources.readings.id}/notes"},
    )

    assert not tables.is_snapshot("notes")


def _resolved(table: str, field: str) -> dict[str, str]:
    return {"type": "resolve", "resource": table, "field": field}


def test_a_month_without_rows_has_the_declared_columns(
    api: WeatherApi, landing: LandingZone
) -> None:
    endpoint = {
        "params": WINDOW,
        "paginator": {"type": "page_number", "base_page": 1},
        "data_selector": "data",
        "columns": {"id": "bigint", "day": "date", "celsius": "double"},
    }

    landed = land_table(weather_tables(api, {}, readings=endpoint), landing, month="2024-03")

    assert landed.rows == 0
    assert {"id": "bigint", "day": "date", "celsius": "double"}.items() <= landed.schema.items()


def test_a_month_whose_answers_are_all_unchanged_keeps_its_load(
    api: WeatherApi, landing: LandingZone
) -> None:
    tables, calls = weather_tables(api, {}, readings=PAGED), ApiCalls()
    first = land_table(tables, landing)
    api.faults.requests.clear()

    again = land_table(tables, landing, calls, land_unchanged=False)

    assert (again.load_id, again.not_modified) == (first.load_id, True)
    assert calls.count == len(api.faults.requests) == 4
    assert all("If-None-Match" in asked.headers for asked in api.faults.requests)


@pytest.mark.stack
@pytest.mark.parametrize("changes", ["the first page", "a row more on the last page", "a setting"])
def test_a_month_with_one_answer_that_changed_is_fetched_whole(
    api: WeatherApi, landing: LandingZone, changes: str
) -> None:
    land_table(weather_tables(api, {}, readings=PAGED), landing)
    endpoint = PAGED | ({"columns": {"id": "text"}} if changes == "a setting" else {})
    if changes == "a row more on the last page":
        api.extra["2024-02-30"] = 3.5
    if changes == "the first page":
        api.extra["2024-02-01"] = 3.5

    again = land_table(weather_tables(api, {}, readings=endpoint), landing, land_unchanged=False)

    assert not again.not_modified
    assert again.rows == 29 + len(api.extra)


@pytest.mark.stack
def test_answers_without_etags_are_fetched_again(api: WeatherApi, landing: LandingZone) -> None:
    api.faults.answer_always("readings", JSONResponse([{"id": 1}]))
    tables = weather_tables(api, {}, readings={"params": WINDOW})
    land_table(tables, landing)

    assert not land_table(tables, landing, land_unchanged=False).not_modified


def test_only_the_status_that_is_named_ends_a_list(api: WeatherApi, landing: LandingZone) -> None:
    api.faults.answer_always("readings", Response(status_code=404))
    ignoring = {**PAGED, "response_actions": [{"status_code": 404, "action": "ignore"}]}

    assert land_table(weather_tables(api, {}, readings=ignoring), landing).rows == 0
    with pytest.raises(Exception, match="answered 404") as refused:
        land_table(weather_tables(api, {}, readings=PAGED), landing)
    assert isinstance(root_cause(refused.value), SourceError)
