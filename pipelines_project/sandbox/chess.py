"""A chess.com PubAPI on this machine: how it answers."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.chess_archives import Archives
from pipelines_project.sandbox.faults import Faults, FaultsMiddleware

_CONTACT = re.compile(r"[^\s@]@[^\s@]|https?://\S")
_PLAYER = re.compile(r"[a-z0-9_-]{1,50}")
_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")


def chess_app(
    archives: Archives, *, faults: Faults | None = None, validators: bool = True
) -> Starlette:
    """Answer as chess.com does, below `/pub`.

    Args:
        archives: Where the games come from.
        faults: Wrong answers on demand and the log of requests, for tests.
        validators: Whether to send ETag, Last-Modified and Cache-Control, and answer 304.
    """
    api = _Api(archives, validators)
    games = "/pub/player/{player}/games"
    return Starlette(
        routes=[
            Route(f"{games}/archives", api.month_list),
            Route(f"{games}/{{year}}/{{month}}", api.month),
        ],
        middleware=[Middleware(FaultsMiddleware, faults=faults or Faults())],
        exception_handlers={HTTPException: _error},
    )


@dataclass(frozen=True)
class _Api:
    archives: Archives
    validators: bool

    def month_list(self, request: Request) -> Response:
        player, months = self._player(request)
        players = str(request.url.replace(query="")).rsplit("/", 3)[0]
        urls = [f"{players}/{player}/games/{month.replace('-', '/')}" for month in months]
        body = json.dumps({"archives": urls}).encode()
        return self._answer(request, body, max(months, default="1970-01"))

    def month(self, request: Request) -> Response:
        player, months = self._player(request)
        month = "{year}-{month}".format(**request.path_params)
        if not _MONTH.fullmatch(month):
            raise HTTPException(404, f'Data provider not found for key "{request.url.path}".')
        body = self.archives.games(player, month) if month in months else b'{"games":[]}'
        return self._answer(request, body, month)

    def _player(self, request: Request) -> tuple[str, list[str]]:
        if not _CONTACT.search(request.headers.get("User-Agent", "")):
            raise HTTPException(403, "The User-Agent has no e-mail address or URL to contact.")
        player = request.path_params["player"].lower()
        months = self.archives.months(player) if _PLAYER.fullmatch(player) else None
        if months is None:
            raise HTTPException(404, f'User "{player}" not found.')
        return player, months

    def _answer(self, request: Request, body: bytes, changed: str) -> Response:
        if not self.validators:
            return Response(body, media_type="application/json")
        digest = hashlib.sha256(body).hexdigest()[:32]
        modified = datetime.fromisoformat(f"{changed}-01").replace(tzinfo=UTC)
        headers = {
            "ETag": f'W/"{digest}"',
            "Last-Modified": format_datetime(modified, usegmt=True),
            "Cache-Control": "public, max-age=43200",
        }
        if digest in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)


def _error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {"code": 0, "message": error.detail}
    return JSONResponse(body, error.status_code, headers=error.headers)
