"""A month of a dlt source function: its window, one resource at a time, and no secret in errors."""

import traceback
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.dlt_source.function import (
    check_arguments,
    load_function,
    refuse_literal_arguments,
)
from pipelines_project.sources.dlt_source.settings import Incremental, MonthArguments, instant
from pipelines_project.sources.dlt_source.tables import ResourceTable, SourceCall
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project_tests import shop_source
from pipelines_project_tests.landings import place_of, rows_of

MODULE = "pipelines_project_tests.shop_source"
MONTH = "2024-02"
TOKEN = "shop-token-5512-secret"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    shop_source.CALLS.clear()


def _call(function: str, **attributes: Any) -> SourceCall:
    given: dict[str, Any] = {"arguments": {}, "month_arguments": MonthArguments()}
    return SourceCall(f"{MODULE}.{function}", **{**given, **attributes})


SHOP = _call(
    "shop",
    arguments={"token": {"env": "SHOP_TOKEN"}, "region": "{month.start:%Y}"},
    month_arguments=MonthArguments(start="start_date", end="end_date", form="date"),
)


def _land(call: SourceCall, zone: LandingZone, table: ResourceTable, month: str = MONTH) -> Landed:
    return land_month(place_of(zone, month, table.name), call.extract(table), refuse_shrink)


def _rows(zone: LandingZone, table: str, month: str = MONTH) -> list[dict[str, Any]]:
    return rows_of(zone, place_of(zone, month, table).current_files())


@pytest.mark.stack
def test_a_resource_gets_the_months_window_and_lands_alone(landing: LandingZone) -> None:
    _land(SHOP, landing, ResourceTable("orders", "orders"))

    rows = _rows(landing, "orders")
    assert (len(rows), rows[0]["at"], rows[-1]["at"]) == (29, "2024-02-01", "2024-02-29")
    assert {(row["region"], row["token_length"]) for row in rows} == {("2024", len(TOKEN))}
    assert shop_source.CALLS == ["orders"]


def test_a_transformer_lands_with_its_parent_read_and_not_landed(landing: LandingZone) -> None:
    landed = _land(SHOP, landing, ResourceTable("lines_of_orders", "order_lines"))

    assert landed.rows == 58
    assert {"order_id", "line", "sku"} <= {*landed.schema}
    assert {*shop_source.CALLS} == {"orders", "order_lines"}


def test_a_secret_that_is_not_given_is_dlts_to_find(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__SHOP_SOURCE__TOKEN", "four")
    call = _call("shop", month_arguments=SHOP.month_arguments)

    _land(call, landing, ResourceTable("orders", "orders"))

    assert _rows(landing, "orders")[0]["token_length"] == 4


def test_declared_columns_are_added_to_those_of_the_resource(landing: LandingZone) -> None:
    table = ResourceTable("orders", "orders", columns={"at": "date"})

    landed = _land(SHOP, landing, table)

    assert (landed.schema["at"], landed.schema["note"]) == ("date", "text")


@pytest.mark.stack
def test_a_cursor_of_a_resource_begins_and_ends_with_the_month(landing: LandingZone) -> None:
    table = ResourceTable("events", "events", Incremental(cursor_path="updated_at"))

    _land(_call("events"), landing, table)
    _land(_call("events"), landing, table, "2024-01")

    rows = _rows(landing, "events")
    assert (rows[0]["updated_at"], rows[-1]["updated_at"]) == ("2024-02-01", "2024-02-29")
    assert len(rows) == 29
    assert len(_rows(landing, "events", "2024-01")) == 31
    assert shop_source.CALLS[0] == "from 2024-02-01 to 2024-03-01"


def test_without_one_a_resource_begins_where_it_would_the_first_time(landing: LandingZone) -> None:
    table = ResourceTable("events", "events")

    assert _land(_call("events"), landing, table).rows == 80
    assert _land(_call("events"), landing, table).rows == 80


def test_one_of_the_tables_that_a_resource_names_row_by_row_can_be_chosen(
    landing: LandingZone,
) -> None:
    _land(_call("mixed"), landing, ResourceTable("pushes", "mixed", table_name="push"))

    assert [row["n"] for row in _rows(landing, "pushes")] == [1, 3]


@pytest.mark.parametrize(
    ("function", "resource", "why"),
    [
        ("shop", "order", "no resource 'order'; there are orders, order_lines, customers"),
        ("no_source", "x", "no_source returns a int: it must return a dlt source"),
    ],
)
def test_what_is_no_resource_is_refused(
    landing: LandingZone, function: str, resource: str, why: str
) -> None:
    call = SHOP if function == "shop" else _call(function)

    with pytest.raises(Exception, match=why) as refused:
        _land(call, landing, ResourceTable("x", resource))

    assert isinstance(root_cause(refused.value), SourceError)


def test_an_error_of_the_source_shows_no_secret(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__SHOP_SOURCE__LEAKY__TOKEN", "dlt-found-this-secret")
    call = _call("leaky", arguments={"key": {"env": "SHOP_TOKEN"}})

    with pytest.raises(Exception, match="HTTPError: 401 for http") as failed:
        _land(call, landing, ResourceTable("leaky", "leaky"))

    trace = "".join(traceback.format_exception(failed.value))
    assert "token=***&key=***" in trace
    assert TOKEN not in trace
    assert "dlt-found-this-secret" not in trace


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("shop", "write package.module.function"),
        ("no_such_package.shop", "no_such_package cannot be imported: ModuleNotFoundError"),
        (f"{MODULE}.shopp", "has no shopp; it has .*events.*shop"),
        (f"{MODULE}.NO_FUNCTION", "is a int, not a function"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        load_function(path)


def test_arguments_are_those_of_the_function() -> None:
    function = load_function(f"{MODULE}.shop")

    check_arguments(function, ["start_date", "end_date", "region"])
    with pytest.raises(ValueError, match="since is no argument; there are start_date, end_date"):
        check_arguments(function, ["since", "start_date", "end_date"])
    with pytest.raises(ValueError, match="end_date is needed and not given"):
        check_arguments(function, ["start_date"])


@pytest.mark.parametrize("arguments", [{"token": "x"}, {"region": {"password": "a-long-secret"}}])
def test_a_secret_among_the_arguments_is_refused(arguments: dict[str, Any]) -> None:
    function = load_function(f"{MODULE}.shop")

    with pytest.raises(ValueError, match=r"has no place here: give \{env: NAME\}"):
        refuse_literal_arguments(function, arguments)
    refuse_literal_arguments(function, {"token": {"env": "SHOP_TOKEN"}, "region": "north"})


def test_the_ends_of_a_month_come_in_the_form_that_is_asked_for() -> None:
    assert instant("2024-02", "start", "text") == "2024-02-01"
    assert instant("2024-02", "last", "date") == date(2024, 2, 29)
    assert instant("2024-02", "end", "datetime") == datetime(2024, 3, 1, tzinfo=UTC)
