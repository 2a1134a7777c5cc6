"""The Celery deployment, run: PostgreSQL, Redis, an object store, workers that are killed."""

from collections.abc import Iterator

import dagster as dg
import pytest

from pipelines_project.defs.resources import warehouse
from pipelines_project_tests.deploy.fleet import until
from pipelines_project_tests.deploy.land_all import difference, land_all
from pipelines_project_tests.deploy.served_tables import Sizes
from pipelines_project_tests.deploy.source_fleet import SourceFleet, source_fleet
from pipelines_project_tests.object_store import Gate

pytestmark = [pytest.mark.stack, pytest.mark.long]

SIZES = Sizes(
    players=("hikaru", "erik"),
    games=20,
    tickets=30,
    lines=50,
    months={"chess": 7, "freshdesk": 2, "local_jsonl": 3},
    runs=3,
)
# So that a worker is killed while it lands a month.
LATENCY = 0.2
KILLS = 4


@pytest.fixture(scope="module")
def fleet(
    postgres: str, gated_store: Gate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SourceFleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with source_fleet(
        folder, SIZES, LATENCY, postgres=postgres, store=gated_store, workers=4
    ) as started:
        yield started


def test_a_run_that_is_cancelled_ends_and_is_not_done_again(fleet: SourceFleet) -> None:
    run_id = fleet.launch(fleet.served.runs[0])
    until(fleet.executed)
    fleet.processes.webserver.cancel(run_id)
    until(lambda: fleet.instance.get_runs(dg.RunsFilter([run_id]))[0].is_finished)

    [run] = fleet.instance.get_runs(dg.RunsFilter([run_id]))
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert not [other for other in fleet.instance.get_runs() if other.parent_run_id == run_id]


def test_all_months_of_all_sources_are_exact_though_workers_are_killed(fleet: SourceFleet) -> None:
    landed = land_all(fleet, KILLS, minutes=6)

    assert len({*landed.killed.values()}) > 1
    assert landed.killed.keys() <= fleet.done_again()
    assert (landed.lost, landed.doubled) == (0, 0)
    served = [table.rows.total() for table in fleet.served.tables]
    assert min(served) > 0
    assert landed.compared == 2 * sum(served)


def test_a_row_that_is_gone_and_one_that_is_there_twice_are_counted(fleet: SourceFleet) -> None:
    with warehouse().connect() as connection:
        newest = "(select max(id) from freshdesk.roles)"
        connection.execute(f"delete from freshdesk.roles where id = {newest}")
        connection.execute("insert into chess.games select * from chess.games limit 1")

    lost, doubled, _ = difference(fleet)

    assert (lost, doubled) == (1, 1)
