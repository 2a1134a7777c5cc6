"""A REST API as a document: a backfill of months, what is wrong in the document, and secrets."""

import re
import textwrap
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.resolved.errors import ResolutionException
from pydantic import ValidationError
from starlette.responses import JSONResponse, PlainTextResponse, Response

from pipelines_project.components.rest_api import RestApi
from pipelines_project.months import month_of
from pipelines_project_tests.document_location import DocumentLocation, loaded, located
from pipelines_project_tests.weather_api import TOKEN, WeatherApi, weather_api

LANDING, WAREHOUSE = "landing/weather/readings", "warehouse/weather/readings"

DOCUMENT = """
type: pipelines_project.components.RestApi
attributes:
  source: weather
  start_month: "2024-01"
  client: {base_url: URL/v1/, paginator: {type: page_number, base_page: 1, maximum_page: 50}}
  tables:
    - name: readings
      key: [id]
      endpoint: {path: readings, params: {from: "{month.start}", to: "{month.end}"}, data_selector: data}
    - name: stations
      key: [id]
      endpoint: {paginator: single_page}
---
type: pipelines_project.components.RestApi
attributes:
  source: weather
  start_month: "2024-02"
  client:
    base_url: "{{ env.WEATHER_URL }}/v1"
    auth: {type: api_key, name: appid, location: query, api_key_env: WEATHER_TOKEN}
    paginator: header_link
  tables:
    - name: private
      key: [id]
      columns: {id: bigint, day: date, celsius: double}
      endpoint: {path: secret, params: {from: "{month.start}", to: "{month.end}"}}
    - name: of_station
      key: [id]
      endpoint:
        path: "stations/{resources.station_list.id}/readings"
        params: {from: "{month.start}", to: "{month.end}"}
        data_selector: data
        paginator: single_page
    - name: station_list
      endpoint: {path: stations, paginator: single_page}
"""  # noqa: E501 - as a document has it


@pytest.fixture(scope="module")
def api() -> Iterator[WeatherApi]:
    with weather_api() as served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEATHER_URL", served.url)
        patch.setenv("WEATHER_TOKEN", TOKEN)
        yield served


@pytest.fixture(scope="module")
def defs(api: WeatherApi) -> Iterator[dg.Definitions]:
    with loaded(DOCUMENT.replace("URL/v1/", f"{api.url}/v1/")) as defs:
        yield defs


@pytest.fixture
def weather(api: WeatherApi, defs: dg.Definitions, tmp_path: Path) -> Iterator[DocumentLocation]:
    with located(tmp_path, defs) as location:
        yield location
    api.faults.clear()


@pytest.mark.stack
@pytest.mark.long
def test_six_months_of_two_documents_land_and_load_in_one_run(weather: DocumentLocation) -> None:
    keys = [
        f"{stage}/weather/{table}"
        for table in ("readings", "of_station")
        for stage in ("landing", "warehouse")
    ]

    run = weather.materialize("2024-01...2024-06", *keys)

    assert run.error == ""
    count = "select month, count(*) from weather.{} group by month order by month"
    months = {"2024-01": 31, "2024-02": 29, "2024-04": 30, "2024-05": 31, "2024-06": 30}
    assert dict(weather.rows(count.format("readings"))) == months
    del months["2024-01"]
    assert dict(weather.rows(count.format("of_station"))) == months
    assert run.materialized(LANDING)["2024-03"]["dagster/partition_row_count"] == 0
    assert run.materialized(LANDING)["2024-06"]["http_requests"] == 4
    assert run.result.success


@pytest.mark.stack
def test_a_month_that_answers_as_before_is_not_landed_again(weather: DocumentLocation) -> None:
    weather.materialize("2024-04", LANDING)

    again = weather.materialize("2024-04", LANDING)

    assert again.materialized(LANDING)["2024-04"]["not_modified"] is True


@pytest.mark.stack
def test_a_table_without_a_month_is_a_snapshot_of_now(weather: DocumentLocation) -> None:
    keys = ("landing/weather/stations", "warehouse/weather/stations")

    run = weather.materialize(month_of(datetime.now(UTC)), *keys)
    past = weather.materialize("2024-04", *keys)

    assert run.error + past.error == ""
    assert weather.rows("select count(*), count(distinct month) from weather.stations") == [(2, 1)]
    assert "snapshot" in past.materialized(keys[0])["2024-04"]["nothing_to_land"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (PlainTextResponse(f"bad key {TOKEN}", 401), "correct WEATHER_TOKEN"),
        pytest.param(
            JSONResponse({"error": TOKEN}), "no rows can be told", marks=pytest.mark.stack
        ),
        pytest.param(
            Response(status_code=404),
            "correct client.base_url or endpoint.path",
            marks=pytest.mark.stack,
        ),
        pytest.param(
            Response("<html>", media_type="text/html"), "which is no JSON", marks=pytest.mark.stack
        ),
        pytest.param(JSONResponse([]), "allow_shrink", marks=pytest.mark.stack),
    ],
)
def test_a_bad_answer_leaves_the_month_and_no_event_has_the_key(
    api: WeatherApi, weather: DocumentLocation, answer: Any, why: str
) -> None:
    keys = ("landing/weather/private", "warehouse/weather/private")
    assert weather.materialize("2024-02", *keys).error == ""
    api.faults.answer_always("v1/secret", answer)

    run = weather.materialize("2024-02", *keys)

    assert why in run.error
    assert weather.rows("select count(*) from weather.private") == [(29,)]
    assert TOKEN not in weather.events(run)


@pytest.mark.stack
def test_nothing_that_a_run_leaves_behind_has_the_key(
    weather: DocumentLocation, capfd: pytest.CaptureFixture[str]
) -> None:
    run = weather.materialize("2024-02", "landing/weather/private", "warehouse/weather/private")

    folder = Path(weather.landing.url).parent
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not any(TOKEN.encode() in content for content in files)
    printed = capfd.readouterr()
    assert TOKEN not in weather.events(run) + printed.out + printed.err


# Dagster parses by what pydantic has deprecated; loading a real project hides that.
_dagsters_own = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")


@pytest.mark.stack
def test_what_dg_check_yaml_goes_by_takes_the_documents_and_refuses_a_wrong_one() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = RestApi.model().model_json_schema()
    documents = [each["attributes"] for each in yaml.safe_load_all(DOCUMENT)]

    for attributes in documents:
        jsonschema.validate(attributes, schema)
    documents[0]["tables"][0]["endpoint"]["parms"] = {}
    with pytest.raises(jsonschema.ValidationError, match="parms"):
        jsonschema.validate(documents[0], schema)


FIRST = DOCUMENT.partition("    - name: stations")[0].replace("URL", "https://x.org")


def test_what_is_wrong_in_a_document_is_named_with_its_file_and_line() -> None:
    document = FIRST.replace("base_page: 1", "base_page: one")

    with pytest.raises(ComponentTreeException) as refused, loaded(document):
        pass

    trace = "".join(traceback.format_exception(refused.value))
    assert "defs.yaml:6 - attributes.client.paginator.base_page: " in trace


WRONG = [
    ("base_page: 1", "base_page: one", r"3 - client\.paginator\.base_page: .*integer"),
    ("type: page_number", "type: pages", "3 - client.paginator: .*'pages'.*'page_number'"),
    ("maximum_page: 50", "maximum_page: 0", "3 - .*maximum_page lies before the first page"),
    ("https://", "ftp://", r"3 - client\.base_url: must be an address that begins"),
    ("{base", "{auth: {type: bearer, token: hunter2}, base", "3 - client.auth: .*give token_env"),
    ("{base", "{auth: {type: bearer, token_env: a b}, base", r"3 - .*\.token_env: give the name"),
    ("{base", "{auth: {token_env: A}, base", r"3 - client\.auth: needs a type"),
    ("{base", "{most_pages: 0, base", r"3 - client\.most_pages: must be at least 1"),
    ("params:", "parms:", r"7 - tables\.0\.endpoint: parms is not known; there are path"),
    ("month.end", "month.stop", r"7 - tables\.0\.endpoint: \{month.stop\} is not known: write"),
    ("path: readings", "method: PUT", r"7 - tables\.0\.endpoint\.method: .*'GET' or 'POST'"),
    ("path: readings", "path: 'x/{resources.y.id}'", "`readings` refers to .* parent .* `y`"),
    ("path: readings", "path: 'x/{id}'", "'readings' requires a param named 'id'"),
    ("key: [id]", "columns: {id: int}", "6 - tables.0.columns: 'int' of id is no type; there are"),
    ("key: [id]", "include_from_parent: [id]", "`readings` has `include_from_parent`"),
    ("key: [id]", "key: [Id]", r"6 - tables\.0\.key: 'Id' in key is no column"),
    ("key: [id]", "column_names: {Id: month}", r"column_names: Id: 'month' is no name of a column"),
    ("key: [id]", "colums: {id: bigint}", r"6`\n.*Extra inputs are not permitted"),
    ("key: [id]", "refetch: since_last", "5 - tables.0: refetch: since_last needs a cursor"),
    (
        "key: [id]",
        "refetch: since_last\n    cursor: {column: a, params: {b: '{since}'}}",
        "readings needs a key: refetch: since_last goes by it",
    ),
    ("key: [id]", "cursor: {column: a, params: {b: c}}", r"6 - tables\.0\.cursor: params must ha"),
    ('"2024-01"', '"2024-1"', r"2 - start_month: '2024-1' is not a month"),
]


@_dagsters_own
@pytest.mark.parametrize(("right", "wrong", "why"), WRONG)
def test_a_wrong_value_is_named_with_its_line_and_what_would_be_right(
    right: str, wrong: str, why: str
) -> None:
    attributes = textwrap.dedent(FIRST.partition("attributes:\n")[2])
    assert RestApi.resolve_from_yaml(attributes).source == "weather"

    with pytest.raises((ResolutionException, ValidationError)) as refused:
        RestApi.resolve_from_yaml(attributes.replace(right, wrong, 1))

    assert re.search(f"<string>:{why}" if why[0].isdigit() else why, str(refused.value))
    assert "hunter2" not in str(refused.value)
