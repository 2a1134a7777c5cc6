"""Making a sandbox app answer wrongly on demand, and telling what it was asked."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class Asked:
    """One request, as it arrived."""

    method: str
    path: str
    query: QueryParams
    headers: Headers
    at: datetime


class Faults:
    """Answers that take the place of an app's own, and a log of what was asked.

    Tests change it while the app is being served. A path is told by its end, such as
    `hikaru/games/2021/03`, in any case. An answer is a Starlette response or any ASGI app.
    """

    def __init__(self) -> None:
        """Start with an app that answers as it should."""
        self.requests: list[Asked] = []
        self._next: dict[str, deque[ASGIApp]] = {}
        self._always: dict[str, ASGIApp] = {}

    def answer_next(self, path_end: str, *answers: ASGIApp) -> None:
        """Give each of the answers once, in their order, before what is given otherwise."""
        self._next.setdefault(_path_end(path_end), deque()).extend(answers)

    def answer_always(self, path_end: str, answer: ASGIApp) -> None:
        """Give this answer until `clear`."""
        self._always[_path_end(path_end)] = answer

    def clear(self) -> None:
        """Forget every answer; the log stays."""
        self._next.clear()
        self._always.clear()

    def asked(self, path_end: str) -> list[Asked]:
        """The requests so far for paths with this end, oldest first."""
        return [asked for asked in self.requests if _has_end(asked.path, _path_end(path_end))]

    def take_answer(self, path: str) -> ASGIApp | None:
        """The answer to give for a path now, None for the app's own."""
        for path_end, answers in self._next.items():
            if answers and _has_end(path, path_end):
                return answers.popleft()
        fixed = (answer for end, answer in self._always.items() if _has_end(path, end))
        return next(fixed, None)


class FaultsMiddleware:
    """Asks `Faults` first, then the app."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        """Stand before the app."""
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log the request and answer it."""
        answer = self._app
        if scope["type"] == "http":
            headers = Headers(raw=list(scope["headers"]))
            query = QueryParams(scope["query_string"])
            asked = Asked(scope["method"], scope["path"], query, headers, datetime.now(UTC))
            self._faults.requests.append(asked)
            answer = self._faults.take_answer(asked.path) or self._app
        await answer(scope, receive, send)


def half(body: bytes) -> Response:
    """A complete answer whose JSON stops in the middle."""
    return Response(body[: len(body) // 2], media_type="application/json")


def broken_off(body: bytes) -> ASGIApp:
    """An answer that announces the whole body and loses the connection in the middle of it."""

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = Response(body, media_type="application/json").raw_headers
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # The server closes the connection of an app that promises more and then returns.
        sent = body[: len(body) // 2]
        await send({"type": "http.response.body", "body": sent, "more_body": True})

    return answer


def _path_end(text: str) -> str:
    return "/" + text.strip("/").lower()


def _has_end(path: str, path_end: str) -> bool:
    return path.lower().endswith(path_end)
