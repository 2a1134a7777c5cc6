"""The Celery deployment, run: PostgreSQL, Redis, an object store, workers that are killed."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
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
from pipelines_project_tests.code_location import LANDING, WAREHOUSE
from pipelines_project_tests.databases import emptied_database
from pipelines_project_tests.deploy.fleet import Fleet, fleet, redis_server, until
from pipelines_project_tests.object_store import Gate

pytestmark = pytest.mark.stack

PLAYERS = ("hikaru", "erik")
MONTHS = [f"2023-{number:02d}" for number in range(1, 13)]
WORKERS = 4
KILLS = 4
_COMPARED = ("url", "uuid", "pgn", "fen", "tcn", "rated", "time_control")
_LOADED = dg.AssetKey.from_user_string(WAREHOUSE)

Rows = Counter[tuple[Any, ...]]


class SlowArchives(GeneratedArchives):
    """Takes a while for each answer, so that a worker is killed while it lands a month."""

    def games(self, player: str, month: str) -> bytes:
        time.sleep(0.5)
        return super().games(player, month)


@pytest.fixture(scope="module")
def archives() -> SlowArchives:
    return SlowArchives(20, first_month=MONTHS[0])


@pytest.fixture(scope="module")
def workers(
    archives: SlowArchives,
    postgres: str,
    gated_store: Gate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """A fleet: landing and lake in the store, the lake's catalog in PostgreSQL."""
    folder = tmp_path_factory.mktemp("fleet")
    bucket = gated_store.bucket()
    with (
        redis_server(folder) as redis,
        serving(chess_app(archives)) as chess,
        pytest.MonkeyPatch.context() as patch,
    ):
        settings = {
            "DAGSTER_POSTGRES_URL": emptied_database(postgres, "dagster").replace(
                "postgresql:", "postgresql+psycopg2:"
            ),
            "CELERY_BROKER_URL": redis,
            "LANDING_URL": f"s3://{bucket}/landing",
            "WAREHOUSE_URL": f"ducklake:postgres:{emptied_database(postgres, 'lake')}",
            "WAREHOUSE_DATA_URL": f"s3://{bucket}/lake",
            "REPORT_PATH": str(folder / "report.html"),
            "AWS_ENDPOINT_URL": gated_store.store,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CHESS_API_URL": f"{chess}/pub",
            "CHESS_PLAYERS": ",".join(PLAYERS),
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": MONTHS[0],
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        with fleet(folder / "home") as started:
            for _ in range(WORKERS):
                started.start("worker")
            yield started


@pytest.fixture
def instance(workers: Fleet) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(workers.home)) as opened:
        # This chess.com answers several at once.
        opened.event_log_storage.set_concurrency_slots("chess_api", WORKERS)
        yield opened


def test_a_run_that_is_cancelled_ends_and_is_not_done_again(
    workers: Fleet, instance: dg.DagsterInstance
) -> None:
    run_id = workers.launch(MONTHS[0], LANDING)
    until(lambda: _executed(instance))
    workers.cancel(run_id)
    until(lambda: instance.get_runs(dg.RunsFilter([run_id]))[0].is_finished)

    [run] = instance.get_runs(dg.RunsFilter([run_id]))
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert not [other for other in instance.get_runs() if other.parent_run_id == run_id]


def test_all_months_are_exact_though_workers_are_killed(
    workers: Fleet, instance: dg.DagsterInstance, archives: SlowArchives
) -> None:
    for month in MONTHS:
        workers.launch(month, LANDING, WAREHOUSE)
    killed = set[str]()
    for enough in range(0, len(MONTHS), len(MONTHS) // KILLS):
        until(lambda n=enough: len(_months_loaded(instance)) >= n and _executed(instance))
        run_id, worker = _executed(instance)[0]
        workers.kill(worker)
        workers.start("worker")
        killed.add(run_id)
    until(lambda: _months_loaded(instance) == {*MONTHS})
    until(lambda: killed <= _done_again(instance))

    assert _landed() == _loaded() == _served(archives)


def _months_loaded(instance: dg.DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(_LOADED)


def _executed(instance: dg.DagsterInstance) -> list[tuple[str, int]]:
    """Return the runs that are executed, each with the session of its worker."""
    executed: list[tuple[str, int]] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        # A run that is done again has the tags of the first until it begins.
        run_id, _, process = run.tags.get(EXECUTED_BY, "  ").split(" ")
        with suppress(ProcessLookupError):
            if run_id == run.run_id:
                executed.append((run_id, os.getsid(int(process))))
    return executed


def _done_again(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs of which another, begun because of them, has succeeded."""
    ended = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    return {origin for run in ended for origin in (run.parent_run_id, run.root_run_id) if origin}


def _served(archives: SlowArchives) -> Rows:
    return Counter(
        (month, *(game.get(name) for name in _COMPARED))
        for month in MONTHS
        for player in PLAYERS
        for game in json.loads(GeneratedArchives.games(archives, player, month))["games"]
    )


def _landed() -> Rows:
    rows: Rows = Counter()
    for month in MONTHS:
        place = landing_zone().month("chess", "games", month)
        current = place.current_files()
        assert current
        with readable(place, current) as load:
            query = f"select '{month}', {', '.join(_COMPARED)} from {READ_FILES}"
            rows.update(duckdb.execute(query, {"files": load.files}).fetchall())
    return rows


def _loaded() -> Rows:
    return Counter(warehouse().rows(f"select month, {', '.join(_COMPARED)} from chess.games"))
