"""The sources under test, one row each, and what each is served.

A row is served as it was, and then as it is now: with more rows, one column more and a column of
another type, so that a re-run changes everything that a re-run can change.
"""

import json
from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.faults.figures import IS_FULL
from pipelines_project_tests.faults.live_data import Month
from pipelines_project_tests.faults.stores import Stores

MONTH, OTHER_MONTH = "2024-02", "2024-01"


@dataclass(frozen=True)
class Source:
    """A source under test.

    Attributes:
        name: the source.
        tables: its tables that are under test.
        environment: the settings that lead it to what is served.
        serve: makes versions of `MONTH` the ones that are served, by turns.
        hold_next: keeps the next answer until the second event, and says by the first that it was
            asked for. It is that of version 1. None
            where nothing is asked.
        is_merged: whether its months are merged into one whole.
    """

    name: str
    tables: tuple[str, ...]
    environment: Mapping[str, str]
    serve: Callable[..., None]
    hold_next: Callable[[Event, Event], None] | None
    is_merged: bool = False

    @property
    def keys(self) -> list[str]:
        """The keys of the assets under test."""
        return [
            f"{layer}/{self.name}/{t}" for layer in ("landing", "warehouse") for t in self.tables
        ]

    def months(self, month: str = MONTH) -> list[Month]:
        """One month of each table."""
        return [Month(self.name, table, month) for table in self.tables]


def _served(
    faults: Faults, path: str, answer: Callable[[int], Response]
) -> tuple[Callable[..., None], Callable[[Event, Event], None]]:
    """Return what serves versions of an answer, and what holds one back."""

    def serve(*versions: int) -> None:
        answers = cycle(answer(version) for version in versions)

        async def by_turns(scope: Scope, receive: Receive, send: Send) -> None:
            await next(answers)(scope, receive, send)

        faults.answer_always(path, by_turns)

    def hold_next(arrived: Event, go_on: Event) -> None:
        async def held(scope: Scope, receive: Receive, send: Send) -> None:
            arrived.set()
            await to_thread(go_on.wait, 60)
            await answer(1)(scope, receive, send)

        faults.answer_next(path, held)

    return serve, hold_next


def _games(archives: GeneratedArchives, version: int) -> Response:
    answer = json.loads(archives.games("erik", MONTH))["games"]
    for number, game in enumerate(answer):
        game["version"] = version if version == 1 else version + 0.5
        if version > 1:
            game["league"] = f"{version}.{number}"
    return Response(json.dumps({"games": answer[: 10 + version]}), media_type="application/json")


@contextmanager
def chess(folder: Path) -> Iterator[Source]:
    """Give the chess source beside a chess.com of its own."""
    archives, faults = GeneratedArchives(20), Faults()
    with serving(chess_app(archives, faults=faults)) as url:
        environment = {
            "CHESS_API_URL": f"{url}/pub",
            "CHESS_PLAYERS": "hikaru,erik",
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": "2021-01",
        }

        path = f"erik/games/{MONTH.replace('-', '/')}"
        serve, hold_next = _served(faults, path, lambda version: _games(archives, version))
        serve(1)
        yield Source("chess", ("games",), environment, serve, hold_next)


def _companies(version: int) -> JSONResponse:
    rows = [
        {
            "id": number,
            "name": f"company {number}",
            "updated_at": f"{MONTH if number % 3 else OTHER_MONTH}-1{version}T00:00:00Z",
            "version": version if version == 1 else version + 0.5,
            **({"league": f"{version}.{number}"} if version > 1 else {}),
        }
        for number in range(1, 30 + version)
    ]
    return JSONResponse([row for row in rows if version > 1 or row["id"] != 2])


@contextmanager
def freshdesk(_folder: Path) -> Iterator[Source]:
    """Give a merged table of the Freshdesk source beside a help desk of its own."""
    faults = Faults()
    with serving(freshdesk_app(StoredHelpDesk({}), faults=faults)) as url:
        environment = {
            "FRESHDESK_API_URL": f"{url}/api/v2",
            "FRESHDESK_API_KEY": KEY,
            "FRESHDESK_START_MONTH": "2023-01",
        }
        serve, hold_next = _served(faults, "companies", _companies)
        serve(1)
        yield Source("freshdesk", ("companies",), environment, serve, hold_next, is_merged=True)


@contextmanager
def local_jsonl(folder: Path) -> Iterator[Source]:
    """Give a table of JSON lines, with two files a month, in a folder of their own."""

    def write(month: str, version: int) -> None:
        target = folder / "synthetic_data" / month
        target.mkdir(parents=True, exist_ok=True)
        for file in (1, 2):
            lines = [
                json.dumps(
                    {
                        "id": f"{file}.{number}",
                        "items": [number],
                        "version": version if version == 1 else version + 0.5,
                        **({"league": str(number)} if version > 1 else {}),
                    }
                )
                for number in range(20 + version)
            ]
            # A file that is written to while it is read would be no fault of the reader's.
            new = target / "new"
            new.write_text("\n".join(lines))
            new.rename(target / f"{file}.jsonl")

    def serve(*versions: int) -> None:
        write(MONTH, versions[-1])

    for number in range(1, 13):
        write(f"{MONTH[:5]}{number:02d}", 1)
    environment = {"RAW_URL": str(folder), "LOCAL_JSONL_START_MONTH": "2023-01"}
    yield Source("local_jsonl", ("synthetic_data",), environment, serve, None)


SOURCES = {"chess": chess, "freshdesk": freshdesk, "local_jsonl": local_jsonl}
MOST_TESTED = [*SOURCES] if IS_FULL else [*SOURCES][:1]
"""The sources that every test is done with; the others are only killed."""


def environment_of(stores: Stores, source: Source) -> dict[str, Any]:
    """Return the settings of the definitions for data in the stores."""
    return {
        **stores.environment,
        # Beside the data, of which nothing else may be left.
        "RATE_LIMITS_URL": f"sqlite:///{stores.folder}/rate_limits.sqlite",
        "RUNTIME__REQUEST_MAX_ATTEMPTS": "2",
        "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01",
        **source.environment,
    }
