"""A Freshdesk API v2 on this machine: how it answers."""

import json
from base64 import b64encode
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.faults import Faults, FaultsMiddleware
from pipelines_project.sandbox.freshdesk_lists import PARAMETERS, Lists, RefusedError
from pipelines_project.sandbox.freshdesk_quota import Quota
from pipelines_project.sandbox.help_desk import HelpDesk, Row

KEY = "sandbox-key"

_INCLUDES = {
    "description": ("description", "description_text"),
    "stats": ("stats",),
    "requester": ("requester",),
}


def freshdesk_app(
    desk: HelpDesk,
    *,
    key: str = KEY,
    page_cap: int = 300,
    quota: Quota | None = None,
    faults: Faults | None = None,
) -> Starlette:
    """Answer as Freshdesk does, below `/api/v2`.

    Args:
        desk: Where the rows come from.
        key: The only API key that is known.
        page_cap: The last page of tickets that is given.
        quota: The rate limit.
        faults: Wrong answers on demand and the log of requests, for tests.
    """
    authorization = f"Basic {b64encode(f'{key}:X'.encode()).decode()}"
    api = _Api(desk, Lists(desk), authorization, page_cap, quota or Quota())
    return Starlette(
        routes=[Route("/api/v2/{table}", api.answer)],
        middleware=[Middleware(FaultsMiddleware, faults=faults or Faults())],
    )


@dataclass(frozen=True)
class _Api:
    desk: HelpDesk
    lists: Lists
    authorization: str
    page_cap: int
    quota: Quota

    async def answer(self, request: Request) -> Response:
        included = _included(request)
        # What is embedded costs two credits each, also where nothing is found.
        cost = 1 + 2 * len(included)
        if retry_after := self.quota.refusal(cost):
            message = {"message": "You have exceeded the limit of requests per minute"}
            return JSONResponse(message, 429, {"Retry-After": retry_after})
        headers = self.quota.headers(cost)
        if request.headers.get("Authorization") != self.authorization:
            message = {"code": "invalid_credentials", "message": "You have to be logged in."}
            return JSONResponse(message, 401, headers)
        table = request.path_params["table"]
        if table not in PARAMETERS or self.desk.rows(table) is None:
            return Response(status_code=404, headers=headers)
        try:
            return self._page(request, table, included, headers)
        except RefusedError as error:
            name, reason = error.args
            errors = [{"field": name, "message": reason, "code": "invalid_value"}]
            message = {"description": "Validation failed", "errors": errors}
            return JSONResponse(message, 400, headers)

    def _page(
        self, request: Request, table: str, included: set[str], headers: dict[str, str]
    ) -> Response:
        if unknown := set(request.query_params) - PARAMETERS[table]:
            raise RefusedError(min(unknown), "Unexpected/invalid field in request")
        most = self.page_cap if table == "tickets" else 10**9
        page, size = _number(request, "page", 1, most), _number(request, "per_page", 30, 100)
        rows = self.lists.asked_for(table, request.query_params)
        first, end = (page - 1) * size, page * size
        if end < len(rows):
            following = request.url.include_query_params(page=page + 1)
            headers = {**headers, "Link": f'<{following}>; rel="next"'}
        rows = rows[first:end]
        if table == "tickets":
            rows = [_shown(row, included) for row in rows]
        return Response(json.dumps(rows), 200, headers, "application/json")


def _included(request: Request) -> set[str]:
    return set(request.query_params.get("include", "").split(",")) - {""}


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise RefusedError(name, f"It should be a positive integer, and no more than {most}")
    return int(text)


def _shown(row: Row, included: set[str]) -> Row:
    """Return a ticket without what is shown only if it is asked for."""
    hidden = {name for each, names in _INCLUDES.items() if each not in included for name in names}
    return {name: value for name, value in row.items() if name not in hidden}
