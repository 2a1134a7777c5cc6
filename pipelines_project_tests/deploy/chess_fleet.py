"""A fleet that lands and loads a chess.com of its own, and whether each row of it came through."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from pipelines_project.defs.resources import landing_zone, warehouse
from pipelines_project.landing.read_files import READ_FILES, readable
from pipelines_project.orchestration.run_lock import EXECUTED_BY
from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.code_location import WAREHOUSE
from pipelines_project_tests.databases import emptied_database
from pipelines_project_tests.deploy.fleet import Fleet, fleet, redis_server
from pipelines_project_tests.object_store import Gate

Rows = Counter[tuple[Any, ...]]

_COMPARED = ("url", "uuid", "pgn", "fen", "tcn", "rated", "time_control")
_LOADED = dg.AssetKey.from_user_string(WAREHOUSE)


class SlowArchives(GeneratedArchives):
    """Takes a while for each answer, so that a worker is killed while it lands a month."""

    def games(self, player: str, month: str) -> bytes:
        time.sleep(0.5)
        return super().games(player, month)


@dataclass(frozen=True)
class ChessFleet:
    """A fleet with its workers.

    Attributes:
        processes: what it consists of.
        instance: its Dagster instance, opened here.
        archives: the games that are served.
        players: whose games they are.
        months: all months that are landed.
    """

    processes: Fleet
    instance: dg.DagsterInstance
    archives: GeneratedArchives
    players: Sequence[str]
    months: Sequence[str]

    def executed(self) -> list[tuple[str, int]]:
        """Return the runs that are executed, each with the session of its worker."""
        executed: list[tuple[str, int]] = []
        for run in self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
            # A run that is done again has the tags of the first until it begins.
            run_id, _, process = run.tags.get(EXECUTED_BY, "  ").split(" ")
            with suppress(ProcessLookupError):
                if run_id == run.run_id:
                    executed.append((run_id, os.getsid(int(process))))
        return executed

    def kill_a_worker(self) -> str:
        """Kill a worker that executes a run, start another, and return the run."""
        run_id, worker = self.executed()[0]
        self.processes.kill(worker)
        self.processes.start("worker")
        return run_id

    def done_again(self) -> set[str]:
        """Return the runs of which another, begun because of them, has succeeded."""
        ended = self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
        origins = [origin for run in ended for origin in (run.parent_run_id, run.root_run_id)]
        return {origin for origin in origins if origin}

    def months_loaded(self) -> set[str]:
        """Return the months that Dagster takes for loaded."""
        return self.instance.get_materialized_partitions(_LOADED)

    def served(self) -> Rows:
        """Return what is compared of every game that was served."""
        return Counter(
            (month, *(game.get(name) for name in _COMPARED))
            for month in self.months
            for player in self.players
            for game in json.loads(GeneratedArchives.games(self.archives, player, month))["games"]
        )

    def landed(self) -> Rows:
        """Return the same of the current loads."""
        rows: Rows = Counter()
        for month in self.months:
            place = landing_zone().month("chess", "games", month)
            current = place.current_files()
            assert current
            with readable(place, current) as load:
                query = f"select '{month}', {', '.join(_COMPARED)} from {READ_FILES}"
                rows.update(duckdb.execute(query, {"files": load.files}).fetchall())
        return rows

    def loaded(self) -> Rows:
        """Return the same of the warehouse."""
        return Counter(warehouse().rows(f"select month, {', '.join(_COMPARED)} from chess.games"))


@contextmanager
def chess_fleet(
    folder: Path,
    archives: GeneratedArchives,
    players: Sequence[str],
    months: Sequence[str],
    *,
    postgres: str,
    store: Gate,
    workers: int,
) -> Iterator[ChessFleet]:
    """Give a fleet whose landing zone and lake are in a store, with the catalog in PostgreSQL."""
    bucket, history = store.bucket(), emptied_database(postgres, "dagster")
    with (
        redis_server(folder) as redis,
        serving(chess_app(archives)) as chess,
        pytest.MonkeyPatch.context() as patch,
    ):
        settings = {
            "DAGSTER_POSTGRES_URL": history.replace("postgresql:", "postgresql+psycopg2:"),
            "CELERY_BROKER_URL": redis,
            "LANDING_URL": f"s3://{bucket}/landing",
            "WAREHOUSE_URL": f"ducklake:postgres:{emptied_database(postgres, 'lake')}",
            "WAREHOUSE_DATA_URL": f"s3://{bucket}/lake",
            "REPORT_PATH": str(folder / "report.html"),
            "AWS_ENDPOINT_URL": store.store,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CHESS_API_URL": f"{chess}/pub",
            "CHESS_PLAYERS": ",".join(players),
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": months[0],
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        with (
            fleet(folder / "home", workers) as started,
            dg.DagsterInstance.from_config(str(started.home)) as instance,
        ):
            # This chess.com answers several at once.
            instance.event_log_storage.set_concurrency_slots("chess_api", workers)
            yield ChessFleet(started, instance, archives, players, months)
