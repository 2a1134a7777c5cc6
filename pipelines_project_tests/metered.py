"""A service's limit of credits in any window of time, kept by the service and counted."""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


@dataclass
class Meter:
    """What was asked of a service, and what was one request too many.

    Attributes:
        latency: how many seconds an answer takes.
        allowed: how many credits any window may hold.
        window: its seconds.
        cost: how many credits a request counts.
        tells: whether answers say what is allowed and left, as Freshdesk's do.
        arrived: when each credit was used.
        refused: how many requests were answered 429.
        most_at_once: how many were waiting for their answers together.
    """

    latency: float = 0.0
    allowed: int = 10**9
    window: float = 60.0
    cost: Callable[[Request], int] = lambda _: 1
    tells: bool = False
    arrived: list[float] = field(default_factory=list)
    refused: int = 0
    most_at_once: int = 0
    _now: int = 0

    def over(self, app: Starlette) -> Starlette:
        """Return the app, whose requests are counted and refused here."""
        app.add_middleware(BaseHTTPMiddleware, dispatch=self._dispatch)
        return app

    def most_in_a_window(self) -> int:
        """Return how many credits the fullest window holds."""
        return max(
            bisect_left(self.arrived, start + self.window) - first
            for first, start in enumerate(self.arrived)
        )

    async def _dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        cost, now = self.cost(request), time.monotonic()
        self.arrived += [now] * cost
        used = len(self.arrived) - bisect_right(self.arrived, now - self.window)
        headers = self._told(cost, used) if self.tells else {}
        if used > self.allowed:
            self.refused += 1
            return JSONResponse({}, 429, {**headers, "Retry-After": "1"})
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(self.latency)
        self._now -= 1
        response = await call_next(request)
        response.headers.update(headers)
        return response

    def _told(self, cost: int, used: int) -> dict[str, str]:
        return {
            "X-RateLimit-Total": str(self.allowed),
            "X-RateLimit-Remaining": str(max(self.allowed - used, 0)),
            "X-RateLimit-Used-CurrentRequest": str(cost),
        }


def included_credits(request: Request) -> int:
    """Return what a request counts at Freshdesk: two for each of what rows are to include."""
    included = request.query_params.get("include")
    return 1 + 2 * len(included.split(",")) if included else 1
