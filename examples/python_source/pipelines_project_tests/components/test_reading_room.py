"""The reading rooms: a month from the API to the mart, and answers that are refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.server import serving
from pipelines_project_tests.document_location import DocumentLocation, folder_location

KEYS = [f"{stage}/reading_room/visits" for stage in ("landing", "warehouse")]
DEFS = Path(__file__).parents[2] / "pipelines_project" / "defs" / "reading_room"


@dataclass
class Library:
    """A small API: a visit a page, of the month that is asked for."""

    pages: int = 3

    def visits(self, request: Request) -> Response:
        if request.headers.get("X-Api-Key") != "right":
            return JSONResponse({"error": "who are you?"}, 401)
        page = int(request.query_params.get("page", 1))
        visit = {"id": page, "member": page % 2, "branch": "town"}
        visit["came_at"] = f"{request.query_params['from']}T10:00:00Z"
        following = request.url.include_query_params(page=page + 1)
        headers = {"Link": f'<{following}>; rel="next"'} if page < self.pages else {}
        return JSONResponse([visit] if self.pages else [], headers=headers)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    library = Library()
    with serving(Starlette(routes=[Route("/v1/visits", library.visits)])) as url:
        monkeypatch.setenv("LIBRARY_URL", url)
        monkeypatch.setenv("LIBRARY_KEY", "right")
        yield library


@pytest.fixture
def location(library: Library, tmp_path: Path) -> Iterator[DocumentLocation]:
    with folder_location(tmp_path, DEFS) as location:
        yield location


def test_a_month_is_landed_loaded_and_modelled(location: DocumentLocation) -> None:
    run = location.materialize("2024-03", *KEYS, "marts/reading_room/branch_days")

    assert run.result.success
    mart = "select branch, day::text, visits, members from reading_room_marts.branch_days"
    assert location.rows(mart) == [("town", "2024-03-01", 3, 2)]


def test_a_month_without_visits_has_the_declared_columns(
    location: DocumentLocation, library: Library
) -> None:
    library.pages = 0

    assert location.materialize("2024-03", *KEYS).result.success
    assert location.rows("select id, member, branch, came_at from reading_room.visits") == []


@pytest.mark.parametrize(
    ("key", "pages", "said"),
    [("wrong", 3, "correct LIBRARY_KEY"), ("", 3, "LIBRARY_KEY is not set"), ("right", 200, "100")],
)
def test_what_is_refused_leaves_the_month_as_it_was(
    location: DocumentLocation,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    pages: int,
    said: str,
) -> None:
    location.materialize("2024-03", *KEYS)
    monkeypatch.setenv("LIBRARY_KEY", key)
    library.pages = pages

    run = location.materialize("2024-03", *KEYS)

    assert said in run.error
    assert location.rows("select count(*) from reading_room.visits") == [(3,)]
