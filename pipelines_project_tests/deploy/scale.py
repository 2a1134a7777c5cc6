"""What more workers bring, while workers are killed: `make scale`."""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.postgres import postgres_server
from pipelines_project_tests.code_location import LANDING, WAREHOUSE
from pipelines_project_tests.databases import do_not_wait_for_the_disk
from pipelines_project_tests.deploy.chess_fleet import ChessFleet, Rows, chess_fleet
from pipelines_project_tests.deploy.fleet import until
from pipelines_project_tests.object_store import gate, moto_server

_GOES_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dataclass(frozen=True)
class Landed:
    """What came of landing and loading every month, a run each.

    Attributes:
        seconds: from the first launch to the last month that was loaded.
        killed: the runs whose workers were killed.
        lost: rows that were served, and that landing zone or warehouse lack.
        doubled: rows that they have, and that were not served as often.
        compared: rows of both.
    """

    seconds: float
    killed: set[str]
    lost: int
    doubled: int
    compared: int


def land_all(fleet: ChessFleet, kills: Callable[[int], bool], minutes: float) -> Landed:
    """Land and load every month, and kill a worker that executes a run now and then.

    Args:
        fleet: with nothing landed.
        kills: tells whether to kill one, given how many months are loaded.
        minutes: how long it may take.
    """
    started, killed = time.monotonic(), set[str]()
    for month in fleet.months:
        fleet.processes.webserver.launch(month, LANDING, WAREHOUSE)

    def is_done() -> bool:
        loaded = fleet.months_loaded()
        if kills(len(loaded)) and fleet.executed():
            killed.add(fleet.kill_a_worker())
        if not fleet.instance.get_runs(dg.RunsFilter(statuses=_GOES_ON), limit=1):
            # One that was killed three times is not done again by itself.
            for month in {*fleet.months} - fleet.months_loaded():
                fleet.processes.webserver.launch(month, LANDING, WAREHOUSE)
        return loaded == {*fleet.months}

    until(is_done, 60 * minutes)
    seconds = time.monotonic() - started
    served, found = fleet.served(), [fleet.landed(), fleet.loaded()]
    return Landed(
        seconds,
        killed,
        lost=sum((served - rows).total() for rows in found),
        doubled=sum((rows - served).total() for rows in found),
        compared=sum(map(Rows.total, found)),
    )


def every(seconds: float) -> Callable[[int], bool]:
    """Return what says yes whenever so many seconds have gone."""
    last = time.monotonic()

    def is_time(_months: int) -> bool:
        nonlocal last
        is_over = time.monotonic() - last >= seconds
        last = time.monotonic() if is_over else last
        return is_over

    return is_time


def main() -> None:
    """Land the same months by more and more workers, and print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=10)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds-between-kills", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=60, help="how long each may take")
    said = parser.parse_args()
    years = range(2024 - said.years, 2024)
    months = [f"{year}-{month:02d}" for year in years for month in range(1, 13)]
    players = [f"player{number}" for number in range(said.players)]
    with postgres_server() as postgres, moto_server() as store, gate(store) as at_the_store:
        do_not_wait_for_the_disk(postgres)
        for workers in said.workers:
            with (
                tempfile.TemporaryDirectory() as folder,
                chess_fleet(
                    Path(folder),
                    GeneratedArchives(20, first_month=months[0]),
                    players,
                    months,
                    postgres=postgres,
                    store=at_the_store,
                    workers=workers,
                ) as fleet,
            ):
                landed = land_all(fleet, every(said.seconds_between_kills), said.minutes)
            print(
                f"{workers} workers: {len(months)} months of {len(players)} players in "
                f"{landed.seconds:.0f} s, {len(landed.killed)} runs killed, {landed.compared:,} "
                f"rows compared: lost {landed.lost}, doubled {landed.doubled}",
                flush=True,
            )


if __name__ == "__main__":
    main()
