"""A backfill of 24 months of chess, which can be held at a moment, and what must come of it."""

import json
import tempfile
from asyncio import to_thread
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import dagster as dg
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.code_location import LANDING, WAREHOUSE
from pipelines_project_tests.faults.dev_instance import DevInstance, dev_instance, until
from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.faults.live_data import LiveData, Month, Rows
from pipelines_project_tests.faults.stores import Stores

PLAYERS = ("hikaru", "erik")
WHOLE = ["-w", "workspace.yaml"]
SPLIT = ["-m", "pipelines_project_tests.faults.split_backfill", "-d", "."]

MONTHS = [f"{year}-{month:02d}" for year in (2022, 2023) for month in range(1, 13)]
_COMPARED = ("player", "url", "uuid", "pgn", "fen", "tcn", "rated", "time_control")


@dataclass(frozen=True)
class InterruptedBackfill:
    """A backfill of landing and warehouse under test.

    Attributes:
        dev: the instance that it runs in.
        live: the data that it writes.
        archives: the games that are served.
        faults: how they are served, and what was asked.
        count: adds up what is compared.
    """

    dev: DevInstance
    live: LiveData
    archives: GeneratedArchives
    faults: Faults
    count: Count
    _go_on: Event = field(default_factory=Event)

    def hold(self, month: str) -> Event:
        """Keep the next answer for a month until `let_go`; the event says that it was asked for."""
        asked = Event()
        games = Response(self.archives.games(PLAYERS[1], month), media_type="application/json")

        async def held(scope: Scope, receive: Receive, send: Send) -> None:
            asked.set()
            await to_thread(self._go_on.wait, 120)
            await games(scope, receive, send)

        self.faults.answer_next(_path(PLAYERS[1], month), held)
        return asked

    def let_go(self) -> None:
        """Give what was held."""
        self._go_on.set()

    def launch(self) -> str:
        """Launch the backfill in a started instance, and return its id."""
        return self.dev.launch_backfill([LANDING, WAREHOUSE], MONTHS)

    def runs(self) -> list[dg.DagsterRun]:
        """Return the runs of the backfill, the oldest first, and none of automation's."""
        runs = reversed(self.dev.storage.get_runs())
        return [run for run in runs if "dagster/from_automation_condition" not in run.tags]

    def started_run(self) -> str:
        """Return the id of the run that is being executed."""
        [run] = [run for run in self.runs() if run.status is dg.DagsterRunStatus.STARTED]
        return run.run_id

    def wait_for_landing(self) -> None:
        """Return when every month is landed, and the run loads or waits for the warehouse."""
        landing = dg.AssetKey.from_user_string(LANDING)
        until(lambda: self.dev.storage.get_materialized_partitions(landing) == {*MONTHS})

    def fetches(self) -> int:
        """Return how often games were asked for."""
        return len(self.faults.requests)

    def assert_green(self, backfill_id: str) -> None:
        """Wait for the end of the backfill, and check that it and its data are whole.

        Raises:
            AssertionError: it does not end, or not well; or rows are lost or doubled.
        """
        until(lambda: self.dev.backfill_status(backfill_id) != "REQUESTED", 300)
        status = self.dev.backfill_status(backfill_id)
        assert status == "COMPLETED_SUCCESS", f"{status}: {self.dev.log()}"
        for key in (LANDING, WAREHOUSE):
            asset = dg.AssetKey.from_user_string(key)
            assert self.dev.storage.get_materialized_partitions(asset) == {*MONTHS}
        months = [Month("chess", "games", month) for month in MONTHS]
        for month in months:
            held, served = self.live.held(month), self._served(month.month)
            assert _compared(held.landed) == served
            assert held.loaded == held.landed
            self.count("rows compared", 2 * served.total())
        self.live.assert_tidy(months)

    def _served(self, month: str) -> Counter[tuple[Any, ...]]:
        answers = {player: self.archives.games(player, month) for player in PLAYERS}
        return Counter(
            tuple({**game, "player": player}.get(name) for name in _COMPARED)
            for player, answer in answers.items()
            for game in json.loads(answer)["games"]
        )


def _path(player: str, month: str) -> str:
    return f"{player}/games/{month.replace('-', '/')}"


def _compared(rows: Rows | None) -> Counter[tuple[Any, ...]]:
    dicts = ((dict(row), times) for row, times in (rows or Counter()).items())
    compared = Counter[tuple[Any, ...]]()
    for row, times in dicts:
        compared[tuple(row.get(name) for name in _COMPARED)] += times
    return compared


@contextmanager
def interrupted_backfill(
    count: Count, location: Sequence[str] = WHOLE
) -> Iterator[InterruptedBackfill]:
    """Give a backfill that is not launched yet, of a chess.com that fails now and then."""
    archives, faults = GeneratedArchives(20, first_month=MONTHS[0]), Faults()
    # Not pytest's folder: the path of a socket in it would be too long.
    with tempfile.TemporaryDirectory() as path, serving(chess_app(archives, faults=faults)) as url:
        folder = Path(path)
        live = LiveData(Stores(folder))
        (live.data / "tmp").mkdir(parents=True)
        for month in MONTHS[::5]:
            faults.answer_next(_path(PLAYERS[0], month), Response(status_code=503))
        settings = {
            "LANDING_URL": live.landing.url,
            "WAREHOUSE_URL": live.warehouse.url,
            "PUBLISHED_URL": str(live.data / "published"),
            "CHESS_API_URL": f"{url}/pub",
            "CHESS_PLAYERS": ",".join(PLAYERS),
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": MONTHS[0],
        }
        with dev_instance(folder / "home", settings, location) as dev:
            backfill = InterruptedBackfill(dev, live, archives, faults, count)
            try:
                yield backfill
            finally:
                # The server waits for its answers.
                backfill.let_go()
