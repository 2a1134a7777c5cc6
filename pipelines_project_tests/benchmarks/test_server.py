"""A service of the benchmarks answers as the sandbox does, and ends with its user."""

import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.server import Premade, service
from pipelines_project.sandbox.server import serving


def test_an_answer_is_made_once_for_each_thing_that_is_asked() -> None:
    made: list[str] = []

    async def answer(request: Request) -> Response:
        made.append(f"{request.url.path}?{request.url.query} {request.headers['If-None-Match']}")
        return Response(made[-1], 304 if "known" in made[-1] else 200)

    app = Starlette(routes=[Route("/{path}", answer)])
    app.add_middleware(Premade)
    with serving(app) as url:
        asked = [("a", "n=1", "-"), ("a", "n=2", "-"), ("b", "n=1", "-"), ("b", "n=1", "known")]
        for path, query, known in [*asked, *asked]:
            given = requests.get(f"{url}/{path}?{query}", headers={"If-None-Match": known})
            assert given.status_code == (304 if known == "known" else 200)
            assert given.text == ("" if known == "known" else f"/{path}?{query} {known}")

    assert len(made) == len(asked)


def test_a_service_runs_in_a_process_of_its_own_until_it_is_let_go() -> None:
    headers = {"User-Agent": "tests@example.com"}
    with service("chess", 3) as url:
        games = f"{url}/pub/player/hikaru/games/2014/01"
        first, again = (requests.get(games, headers=headers, timeout=9) for _ in range(2))

    assert len(first.json()["games"]) == 3
    assert first.content == again.content
    try:
        requests.get(games, timeout=1)
    except requests.ConnectionError:
        return
    raise AssertionError("the service is still there")
