"""What the fleet's sources serve: a chess.com, a help desk and files, and each row of them."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines_project.months import month_start, next_month
from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.freshdesk import freshdesk_app
from pipelines_project.sandbox.help_desk import HelpDesk
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk
from pipelines_project.sandbox.raw_files import RawFilesOptions
from pipelines_project.sandbox.server import serving
from pipelines_project.sandbox.services import service_settings
from pipelines_project_tests.deploy.served_tables import (
    LAST_MONTH,
    Run,
    ServedTable,
    Sizes,
    compared,
)
from pipelines_project_tests.object_store import Gate


@dataclass
class Latency:
    """What stands before an API: each answer waits, without work, as on its way through a network.

    Attributes:
        seconds: how long an answer waits.
        answers: so many have waited.
    """

    seconds: float
    answers: int = 0

    @property
    def waited(self) -> float:
        """How long all of them waited."""
        return self.answers * self.seconds


class _LatencyMiddleware:
    def __init__(self, app: ASGIApp, latency: Latency) -> None:
        self._app, self._latency = app, latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._latency.answers += 1
            await asyncio.sleep(self._latency.seconds)
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Served:
    """The sources while they are served.

    Attributes:
        tables: what they have.
        runs: what lands it all.
        latency: of the two APIs.
        settings: the environment variables that lead to them.
    """

    tables: Sequence[ServedTable]
    runs: Sequence[Run]
    latency: Latency
    settings: Mapping[str, str]


@contextmanager
def serving_sources(
    folder: Path, sizes: Sizes, latency: float, store: Gate, bucket: str
) -> Iterator[Served]:
    """Serve the sources: two APIs on this machine, and files in a bucket.

    Args:
        folder: where the files are written before they go to the bucket.
        sizes: how much is served.
        latency: how many seconds each answer of the APIs waits.
        store: what has the bucket.
        bucket: its name.
    """
    archives = GeneratedArchives(sizes.games, first_month=sizes.months_of("chess")[0])
    desk = _help_desk(sizes)
    waiting = Latency(latency)
    app = Starlette(
        routes=[Mount("/chess", chess_app(archives)), Mount("/freshdesk", freshdesk_app(desk))],
        middleware=[Middleware(_LatencyMiddleware, latency=waiting)],
    )
    tables = [
        _chess(archives, sizes),
        *_freshdesk(desk, sizes.months_of("freshdesk")),
        _files(folder, sizes, store, bucket),
    ]
    with serving(app) as url:
        settings = {
            **service_settings(url),
            "CHESS_PLAYERS": ",".join(sizes.players),
            "CHESS_CONTACT": "tests@example.com",
            "RAW_URL": f"s3://{bucket}/raw",
            **{
                f"{source.upper()}_START_MONTH": sizes.months_of(source)[0]
                for source in sizes.months
            },
        }
        yield Served(tables, sizes.runs_of(tables), waiting, settings)


def _help_desk(sizes: Sizes) -> MadeUpHelpDesk:
    """Return one on which the last month's last second never passes."""
    opened = sizes.months_of("freshdesk")[0]
    end = month_start(next_month(LAST_MONTH))
    return MadeUpHelpDesk(sizes.tickets, opened, end - timedelta(seconds=1))


def _chess(archives: GeneratedArchives, sizes: Sizes) -> ServedTable:
    months = sizes.months_of("chess")
    games = (
        (month, game)
        for month in months
        for player in sizes.players
        for game in json.loads(archives.games(player, month))["games"]
    )
    return ServedTable("chess", "games", months, compared("games", games))


def _freshdesk(desk: HelpDesk, months: Sequence[str]) -> Iterator[ServedTable]:
    """Yield the six lists, each row in the month in which it last changed."""
    for name in ("tickets", "contacts", "companies", "agents", "groups", "roles"):
        # What the lists say of some rows alone, the landed rows say of all.
        marks = dict.fromkeys(("blocked", "deleted"), False) if name == "contacts" else {}
        rows = [(row["updated_at"][:7], {**marks, **row}) for row in desk.rows(name) or []]
        yield ServedTable("freshdesk", name, months, compared(name, rows))


def _files(folder: Path, sizes: Sizes, store: Gate, bucket: str) -> ServedTable:
    """Write two files a month and put them into the bucket."""
    name, months = "synthetic_data", sizes.months_of("local_jsonl")
    raw = RawFilesOptions(folder / name, months, 2, sizes.lines, 0, 1, "jsonl")
    for month in months:
        for number in (1, 2):
            sum(raw.write(month, number))
    files = sorted(raw.folder.rglob("*.jsonl"))
    for file in files:
        key = f"raw/{file.relative_to(folder).as_posix()}"
        store.client.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())
    lines = (
        (file.parent.name, json.loads(line))
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    return ServedTable("local_jsonl", name, months, compared(name, lines))
