"""Why a month did not land, and what may help when it is landed again."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipelines_project.landing.causes import is_passing_fault, root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.session import ServiceAwayError, retrying_session
from pipelines_project_tests.landings import (
    land,
    place_of,
    rows_of,
)


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """An API whose answers are of no use, each in its own way."""

    def answer(status: int, body: str, **headers: str) -> Callable[[Any], Response]:
        return lambda _: Response(body, status, headers, media_type="application/json")

    routes = [
        Route("/half", answer(200, '{"games": [{"url": "https://')),
        Route("/html", answer(200, "<h1>Maintenance</h1>")),
        Route("/500", answer(500, "{}")),
        Route("/404", answer(404, "{}")),
    ]
    with serving(Starlette(routes=routes)) as url:
        yield url


def _fault(landing: LandingZone, ask: Callable[[], Any]) -> BaseException:
    """Return the error of landing a month whose resource asks so."""

    @dlt.resource(name="events")
    def events() -> Iterator[Any]:
        yield ask()

    with pytest.raises(Exception, match=r".") as error:
        land_month(place_of(landing), lambda *_: events(), accept)
    assert place_of(landing).current_load() is None
    return error.value


@pytest.mark.parametrize("path", ["half", "html"])
def test_a_body_that_is_no_json_may_be_whole_next_time(
    landing: LandingZone, api: str, path: str
) -> None:
    fault = _fault(landing, lambda: requests.get(f"{api}/{path}", timeout=5).json())

    assert isinstance(root_cause(fault), requests.exceptions.JSONDecodeError)
    assert is_passing_fault(fault)


@pytest.mark.parametrize("path", ["500", "404"])
def test_a_bad_status_has_been_tried_again_by_the_session(
    landing: LandingZone, api: str, path: str
) -> None:
    calls = ApiCalls()
    session = retrying_session({}, calls)

    def ask() -> Any:
        return session.get(f"{api}/{path}", hooks={"response": calls.checked({})})

    fault = _fault(landing, ask)

    kind = ServiceAwayError if path == "500" else SourceError
    assert type(root_cause(fault)) is kind
    assert calls.count == (3 if path == "500" else 1)
    assert not is_passing_fault(fault)


def test_a_refused_connection_has_been_tried_again_by_the_session(landing: LandingZone) -> None:
    calls = ApiCalls()
    session = retrying_session({}, calls)
    fault = _fault(landing, lambda: session.get("http://127.0.0.1:9/nobody-listens"))

    assert calls.count == 3
    assert isinstance(root_cause(fault), ServiceAwayError)
    assert not is_passing_fault(fault)


def test_what_a_source_says_is_final(landing: LandingZone, api: str) -> None:
    calls = ApiCalls()

    def ask() -> Any:
        hook = calls.checked({404: lambda response: f"no such player at {response.url}"})
        return retrying_session({}, calls).get(f"{api}/404", hooks={"response": hook})

    fault = _fault(landing, ask)

    assert str(root_cause(fault)) == f"no such player at {api}/404"
    assert isinstance(root_cause(fault), SourceError)
    assert not is_passing_fault(fault)


def test_a_mistake_in_the_code_is_not_tried_again(landing: LandingZone) -> None:
    fault = _fault(landing, lambda: {}["rows"])

    assert isinstance(root_cause(fault), KeyError)
    assert not is_passing_fault(fault)


def test_a_fault_of_the_storage_may_pass(landing: LandingZone) -> None:
    table_folder = Path(place_of(landing).path).parent
    table_folder.parent.mkdir(parents=True)
    table_folder.write_text("in the way")

    with pytest.raises(Exception, match=re.escape(str(table_folder))) as error:
        land(place_of(landing), [{"id": 1}])

    assert isinstance(root_cause(error.value), OSError)
    assert is_passing_fault(error.value)
    table_folder.unlink()
    land(place_of(landing), [{"id": 1}])
    assert [row["id"] for row in rows_of(landing, place_of(landing).current_files())] == [1]


def test_a_file_that_went_while_the_verdict_read_it_may_pass(landing: LandingZone) -> None:
    def verify(_: NewLoad) -> Details:
        with duckdb.connect() as connection:
            connection.execute("from read_parquet('gone.parquet')")
        return {}

    with pytest.raises(duckdb.IOException) as error:
        land(place_of(landing), [{"id": 1}], verify=verify)

    assert is_passing_fault(error.value)


def test_an_error_that_explains_another_is_the_one_that_is_told(landing: LandingZone) -> None:
    def rows() -> Iterator[Any]:
        try:
            _ = {}["id"]
        except KeyError as error:
            raise SourceError("a row without an id") from error
        yield

    with pytest.raises(Exception, match="without an id") as error:
        land(place_of(landing), rows())

    assert str(root_cause(error.value)) == "a row without an id"
    assert not is_passing_fault(error.value)
