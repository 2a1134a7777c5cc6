"""A small weather service: readings by day, in every kind of paging, behind every kind of key."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.faults import Faults, FaultsMiddleware
from pipelines_project.sandbox.server import serving

TOKEN = "wth-5f1c2a-very-secret/+"
CLIENT_SECRET = "oauth-9d7e-also-secret"
ACCESS_TOKEN = "granted-77aa-for-an-hour"
PAGE = 10


@dataclass
class WeatherApi:
    """The service as it is being served.

    Attributes:
        url: its address.
        faults: makes it answer wrongly, and knows what it was asked.
        extra: readings that came in late, by day.
    """

    url: str = ""
    faults: Faults = field(default_factory=Faults)
    extra: dict[str, float] = field(default_factory=dict)

    def readings(self, request: Request) -> list[dict[str, Any]]:
        """Return the readings of each day from `from` on and before `to`."""
        start = date.fromisoformat(request.query_params.get("from", "2024-01-01"))
        end = date.fromisoformat(request.query_params.get("to", "2024-02-01"))
        days = [start + timedelta(days=at) for at in range((end - start).days)]
        # No station stood in March.
        found = [_reading(day) for day in days if day.month != 3]
        late = [
            {"id": -1, "day": day, "celsius": celsius}
            for day, celsius in self.extra.items()
            if start.isoformat() <= day < end.isoformat()
        ]
        return sorted(found + late, key=lambda row: row["day"])


def _reading(day: date) -> dict[str, Any]:
    return {
        "id": day.toordinal(),
        "day": day.isoformat(),
        "celsius": day.day / 2,
        "station": {"id": day.day % 2, "tags": ["roof"]},
    }


@contextmanager
def weather_api() -> Iterator[WeatherApi]:
    """Serve it."""
    api = WeatherApi()
    middleware = [Middleware(FaultsMiddleware, faults=api.faults)]
    with serving(Starlette(routes=_routes(api), middleware=middleware)) as url:
        api.url = url
        yield api


def _routes(api: WeatherApi) -> list[Route]:
    async def by_page(request: Request) -> Response:
        first = (int(request.query_params["page"]) - 1) * PAGE
        return _answer(request, {"data": api.readings(request)[first : first + PAGE]})

    async def by_offset(request: Request) -> Response:
        rows = api.readings(request)
        first, limit = (int(request.query_params[name]) for name in ("offset", "limit"))
        return _answer(request, {"data": rows[first : first + limit], "total": len(rows)})

    async def by_cursor(request: Request) -> Response:
        body = await request.body()
        asked = json.loads(body) if body else request.query_params
        rows, first = api.readings(request), int(asked.get("cursor") or 0)
        after = first + PAGE if first + PAGE < len(rows) else None
        found = {"items": rows[first : first + PAGE], "next": after and str(after)}
        return _answer(request, found)

    async def by_link(request: Request) -> Response:
        rows, first = api.readings(request), int(request.query_params.get("first", 0))
        headers = {}
        if first + PAGE < len(rows):
            # As many services do it: with everything that the query had, the key too.
            following = request.url.include_query_params(first=first + PAGE)
            headers["Link"] = f'<{following}>; rel="next"'
        return _answer(request, rows[first : first + PAGE], headers)

    async def behind_a_key(request: Request) -> Response:
        if not _is_known(request):
            return JSONResponse({"error": f"bad key {_given(request)}"}, 401)
        return await by_link(request)

    async def token(request: Request) -> Response:
        form = (await request.body()).decode()
        if CLIENT_SECRET not in form or "client_credentials" not in form:
            return JSONResponse({"error": f"invalid_client {form}"}, 401)
        return JSONResponse({"access_token": ACCESS_TOKEN, "expires_in": 3600})

    async def stations(request: Request) -> Response:
        return _answer(request, [{"id": 0, "name": "roof"}, {"id": 1, "name": "yard"}])

    async def of_station(request: Request) -> Response:
        station = int(request.path_params["station"])
        rows = [row for row in api.readings(request) if row["station"]["id"] == station]
        return _answer(request, {"data": rows})

    return [
        Route("/v1/readings", by_page),
        Route("/v1/by_offset", by_offset),
        Route("/v1/by_cursor", by_cursor, methods=["GET", "POST"]),
        Route("/v1/by_link", by_link),
        Route("/v1/secret", behind_a_key),
        Route("/oauth/token", token, methods=["POST"]),
        Route("/v1/stations", stations),
        Route("/v1/stations/{station}/readings", of_station),
    ]


def _answer(request: Request, content: Any, headers: dict[str, str] | None = None) -> Response:
    answer = JSONResponse(content, headers=headers)
    linked = str(answer.headers.get("Link", "")).encode()
    etag = f'"{hashlib.sha256(bytes(answer.body) + linked).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    answer.headers["ETag"] = etag
    return answer


def _given(request: Request) -> str:
    return request.headers.get("Authorization", "") or request.query_params.get("appid", "")


def _is_known(request: Request) -> bool:
    basic = base64.b64encode(f"me@example.com:{TOKEN}".encode()).decode()
    return (
        request.headers.get("Authorization")
        in (f"Bearer {TOKEN}", f"Bearer {ACCESS_TOKEN}", f"Basic {basic}")
        or request.headers.get("X-Key") == TOKEN
        or request.query_params.getlist("appid") == [TOKEN]
    )
