"""The API of a made-up library: `python examples/rest_api/api.py`.

Lists by month come from 2024-01 to this moment, the same rows each time.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.server import serving

KEY, CLIENT_ID, CLIENT_SECRET = "key-of-the-library", "bookkeeping", "secret-of-the-library"
_GRANTED = "granted-for-an-hour"
_OPENED = date(2024, 1, 1)
_PAGE = 50

Rows = list[dict[str, Any]]
Answer = Callable[[Request], Awaitable[Response]]


def _days(request: Request, start: str = "from", end: str = "to") -> list[date]:
    """Return the days that are asked for, of those on which the library was open already."""
    asked = request.query_params
    first = max(_OPENED, date.fromisoformat(asked.get(start, "2024-01-01")))
    after = min(date.fromisoformat(asked.get(end, "9999-12-31")), _now().date() + timedelta(1))
    return [first + timedelta(n) for n in range(max(0, (after - first).days))]


def _loans(day: date) -> Rows:
    return [
        {
            "id": day.toordinal() * 10 + n,
            "book_id": 1 + day.toordinal() * n % 120,
            "member": {"id": 1 + (day.toordinal() + n) % 40, "branch": ("town", "port")[n % 2]},
            "lent_at": f"{day}T{9 + n:02}:30:00Z",
            "fee": None if n else "0.50",
        }
        for n in range(4)
    ]


def _page(request: Request, rows: Rows) -> Rows:
    first = (int(request.query_params.get("page", 1)) - 1) * _PAGE
    return rows[first : first + _PAGE]


def _loans_page(request: Request) -> Response:
    """Pages by number: `?from=2024-01-01&to=2024-02-01&page=2`."""
    rows = [loan for day in _days(request) for loan in _loans(day)]
    return JSONResponse({"data": _page(request, rows)})


def _renewals(request: Request) -> Response:
    """What belongs to one loan: `/loans/7388870/renewals`."""
    loan = int(request.path_params["loan"])
    rows = [{"number": n + 1, "until": str(date.fromordinal(loan // 10 + 14 * (n + 2)))}
            for n in range(loan % 3)]  # fmt: skip
    return JSONResponse({"data": rows})


def _books(request: Request) -> Response:
    """Pages by cursor; there is no month in it."""
    first = int(request.query_params.get("cursor", 0))
    books = [{"id": n, "title": f"Book {n}", "tags": ["new"] * (n % 2)} for n in range(1, 121)]
    after = str(first + _PAGE) if first + _PAGE < len(books) else None
    return JSONResponse({"items": books[first : first + _PAGE], "cursors": {"next": after}})


def _visits(request: Request) -> Response:
    """Pages by the header `Link`."""
    rows = [
        {"id": day.toordinal() * 10 + n, "member": 1 + (day.day * n) % 40, "branch": "town",
         "came_at": f"{day}T{10 + n}:05:00Z"}
        for day in _days(request) for n in range(3)
    ]  # fmt: skip
    page = int(request.query_params.get("page", 1))
    following = request.url.include_query_params(page=page + 1)
    headers = {"Link": f'<{following}>; rel="next"'} if len(rows) > page * _PAGE else {}
    return JSONResponse(_page(request, rows), headers=headers)


def _wishes(request: Request) -> Response:
    """What changes later: each wish is granted a day after it was made."""
    since = request.query_params.get("changed_since", "")
    rows = Rows()
    for day in _days(request):
        made = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
        changed = min(made + timedelta(1), _now()) if made + timedelta(1) <= _now() else made
        row = {"id": day.toordinal(), "is_granted": changed > made, "made_at": made.isoformat()}
        rows += [row | {"changed_at": changed.isoformat()}] if made <= _now() else []
    return JSONResponse({"data": [row for row in rows if row["changed_at"] >= since]})


def _fines(request: Request) -> Response:
    """Pages by offset, for those with a token of OAuth."""
    rows = [{"id": day.toordinal(), "amount": f"{day.day / 4:.2f}"} for day in _days(request)]
    first, limit = (int(request.query_params[name]) for name in ("offset", "limit"))
    return JSONResponse({"fines": rows[first : first + limit]})


async def _token(request: Request) -> Response:
    given = (await request.body()).decode()
    wanted = (f"client_id={CLIENT_ID}", f"client_secret={CLIENT_SECRET}", "client_credentials")
    if all(text in given for text in wanted):
        return JSONResponse({"access_token": _GRANTED, "token_type": "bearer", "expires_in": 3600})
    return JSONResponse({"error": "invalid_client"}, 401)


def _behind(header: str, value: str, answer: Callable[[Request], Response]) -> Answer:
    async def checked(request: Request) -> Response:
        if request.headers.get(header) != value:
            return JSONResponse({"error": f"{header} is wrong or missing"}, 401)
        return answer(request)

    return checked


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def library_app() -> Starlette:
    """Return the API: lists behind the key, fines behind OAuth."""
    lists = {
        "/v1/loans": _loans_page,
        "/v1/loans/{loan}/renewals": _renewals,
        "/v1/books": _books,
        "/v1/visits": _visits,
        "/v1/wishes": _wishes,
    }
    return Starlette(
        routes=[
            *(Route(path, _behind("X-Api-Key", KEY, answer)) for path, answer in lists.items()),
            Route("/v1/fines", _behind("Authorization", f"Bearer {_GRANTED}", _fines)),
            Route("/oauth/token", _token, methods=["POST"]),
        ]
    )


def main() -> None:
    """Serve it until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (%(default)s)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with suppress(KeyboardInterrupt), serving(library_app(), parser.parse_args().port) as url:
        settings = {"URL": url, "KEY": KEY, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
        for name, value in settings.items():
            print(f"export LIBRARY_{name}={value}")
        print("# Ctrl-C ends the server", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
