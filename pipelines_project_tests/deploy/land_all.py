"""Landing and loading all that the sources serve, while workers are killed."""

import time
from collections import Counter
from dataclasses import dataclass

import dagster as dg

from pipelines_project_tests.deploy.fleet import until
from pipelines_project_tests.deploy.source_fleet import SourceFleet

_GOES_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_WILL_RETRY = dg.RunsFilter(
    statuses=[dg.DagsterRunStatus.FAILURE], tags={"dagster/will_retry": "true"}
)


@dataclass(frozen=True)
class Landed:
    """What came of landing and loading every month of every source.

    Attributes:
        seconds: from the first launch to the last month that was loaded.
        processor_seconds: what each kind of process took meanwhile.
        executing: how long the workers had runs, all together.
        waited: how long the answers of the APIs waited, all together.
        runs: how many were begun.
        killed: the runs whose workers were killed, with their sources.
        lost: rows that were served, and that landing zone or warehouse lack.
        doubled: rows that they have, and that were not served as often.
        compared: rows of both.
    """

    seconds: float
    processor_seconds: dict[str, float]
    executing: float
    waited: float
    runs: int
    killed: dict[str, str]
    lost: int
    doubled: int
    compared: int


def land_all(fleet: SourceFleet, kills: int, minutes: float) -> Landed:
    """Land and load every month, and kill workers that execute runs meanwhile.

    Args:
        fleet: with nothing landed.
        kills: how many, evenly spread over the months that are loaded.
        minutes: how long it may take.
    """
    started, spent = time.monotonic(), fleet.processor_seconds()
    waited = fleet.served.latency.waited
    for run in fleet.served.runs:
        fleet.launch(run)
    killed = _wait_and_kill(fleet, kills, minutes)
    seconds = time.monotonic() - started
    spent = {name: now - spent.get(name, 0) for name, now in fleet.processor_seconds().items()}
    executing, waited = fleet.executing(), fleet.served.latency.waited - waited
    # Also what is done again although its months are loaded, and what builds marts.
    until(lambda: not _goes_on(fleet), 60 * minutes)
    runs = fleet.instance.get_runs_count()
    return Landed(seconds, spent, executing, waited, runs, killed, *difference(fleet))


def _wait_and_kill(fleet: SourceFleet, kills: int, minutes: float) -> dict[str, str]:
    """Kill workers until every month is loaded, and return the runs, with their sources."""
    missing, ended, killed = fleet.missing(), 0, dict[str, str]()
    total = len(missing)
    due = [total * number // kills for number in range(kills)]

    def is_done() -> bool:
        nonlocal missing, ended
        if ended != (ended := fleet.succeeded()):
            missing = fleet.missing()
        if due and total - len(missing) >= due[0] and _kill_one(fleet, killed):
            due.pop(0)
        if missing and not _goes_on(fleet):
            # One that was killed three times is not done again by itself.
            for run in fleet.served.runs:
                if missing & run.loads:
                    fleet.launch(run)
        return not missing

    until(is_done, 60 * minutes, pause=1)
    return killed


def _goes_on(fleet: SourceFleet) -> bool:
    """Tell whether there are runs that have not ended, or that will be done again."""
    failed = fleet.instance.get_runs(_WILL_RETRY)
    return any("dagster/auto_retry_run_id" not in run.tags for run in failed) or bool(
        fleet.instance.get_runs(dg.RunsFilter(statuses=_GOES_ON), limit=1)
    )


def _kill_one(fleet: SourceFleet, killed: dict[str, str]) -> bool:
    """Kill a worker that executes a run, of the source of which the fewest were killed."""
    executed, so_far = fleet.executed(), Counter(killed.values())
    if not executed:
        return False
    run = min(executed, key=lambda each: so_far[each.source])
    fleet.replace_worker(run.worker)
    killed[run.run_id] = run.source
    return True


def difference(fleet: SourceFleet) -> tuple[int, int, int]:
    """Return how many rows are lost and doubled, and how many were compared."""
    lost = doubled = compared = 0
    for table in fleet.served.tables:
        for found in (fleet.landed(table), fleet.loaded(table)):
            lost += (table.rows - found).total()
            doubled += (found - table.rows).total()
            compared += found.total()
    return lost, doubled, compared
