"""The Celery deployment, run: PostgreSQL, Redis, an object store, workers that are killed."""

from collections.abc import Iterator

import dagster as dg
import pytest

from pipelines_project_tests.code_location import LANDING
from pipelines_project_tests.deploy.chess_fleet import ChessFleet, SlowArchives, chess_fleet
from pipelines_project_tests.deploy.fleet import until
from pipelines_project_tests.deploy.scale import land_all
from pipelines_project_tests.object_store import Gate

pytestmark = pytest.mark.stack

MONTHS = [f"2023-{number:02d}" for number in range(1, 13)]
KILLS = 4


@pytest.fixture(scope="module")
def fleet(
    postgres: str, gated_store: Gate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ChessFleet]:
    archives = SlowArchives(20, first_month=MONTHS[0])
    folder = tmp_path_factory.mktemp("fleet")
    with chess_fleet(
        folder,
        archives,
        ("hikaru", "erik"),
        MONTHS,
        postgres=postgres,
        store=gated_store,
        workers=4,
    ) as started:
        yield started


def test_a_run_that_is_cancelled_ends_and_is_not_done_again(fleet: ChessFleet) -> None:
    run_id = fleet.processes.webserver.launch(MONTHS[0], LANDING)
    until(fleet.executed)
    fleet.processes.webserver.cancel(run_id)
    until(lambda: fleet.instance.get_runs(dg.RunsFilter([run_id]))[0].is_finished)

    [run] = fleet.instance.get_runs(dg.RunsFilter([run_id]))
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert not [other for other in fleet.instance.get_runs() if other.parent_run_id == run_id]


def test_all_months_are_exact_though_workers_are_killed(fleet: ChessFleet) -> None:
    due = [*range(0, len(MONTHS), len(MONTHS) // KILLS)]

    def kills(loaded: int) -> bool:
        is_due = bool(due) and loaded >= due[0] and bool(fleet.executed())
        return is_due and due.pop(0) >= 0

    landed = land_all(fleet, kills, minutes=6)
    until(lambda: landed.killed <= fleet.done_again())

    assert len(landed.killed) > 1
    assert (landed.lost, landed.doubled) == (0, 0)
    assert landed.compared == 2 * fleet.served().total() > 0
