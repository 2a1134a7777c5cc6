"""A sandbox service in a process of its own, whose answers cost next to nothing."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.freshdesk import freshdesk_app
from pipelines_project.sandbox.freshdesk_quota import Quota
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk
from pipelines_project.sandbox.server import serving

FIRST_MONTH = "2014-01"
# Tickets change for some months after they are opened, so the year has as many changes in each of
# its months only if the help desk was there before and after it.
_HELP_DESK_OPENED = "2013-10"
_HELP_DESK_TIME = datetime(2015, 2, 28, tzinfo=UTC)


class Premade:
    """Makes each answer once, and gives the same one whenever it is asked for again."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before the app."""
        self._app = app
        self._answers: dict[tuple[str, bytes, bytes | None], list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app did."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        known = dict(scope["headers"]).get(b"if-none-match")
        asked = scope["path"], scope["query_string"], known
        if asked not in self._answers:
            self._answers[asked] = await self._made(scope, receive)
        for message in self._answers[asked]:
            await send(message)

    async def _made(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        return messages


@contextmanager
def service(name: str, rows_per_month: int) -> Iterator[str]:
    """Serve `chess` or `freshdesk` in a process of its own, and give its address.

    The first answer to each request is slow: ask for all of them before anything is measured.

    Raises:
        RuntimeError: the process did not start.
    """
    arguments = [sys.executable, "-m", "benchmarks.server", name, str(rows_per_month)]
    pipe = subprocess.PIPE
    # It ends when its input does, which is closed here, also if this process is killed.
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        if not (url := process.stdout.readline().strip()):
            raise RuntimeError(f"the {name} service did not start")
        yield url


def service_app(name: str, rows_per_month: int) -> Starlette:
    """Return `chess` or `freshdesk`, each with so many rows a month, for a year or more."""
    if name == "chess":
        return chess_app(GeneratedArchives(rows_per_month, FIRST_MONTH))
    desk = MadeUpHelpDesk(rows_per_month, _HELP_DESK_OPENED, _HELP_DESK_TIME)
    return freshdesk_app(desk, quota=Quota(total=10**9))


def _main(name: str, rows_per_month: str) -> None:
    app = service_app(name, int(rows_per_month))
    app.add_middleware(Premade)
    with serving(app) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
