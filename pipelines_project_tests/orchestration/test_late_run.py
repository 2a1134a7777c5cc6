"""A run that waited in the queue for more than an hour does nothing when it begins after all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines_project.orchestration import late_run
from pipelines_project_tests.code_location import LANDING, CodeLocation, Run
from pipelines_project_tests.landings import tree

pytestmark = pytest.mark.stack

MONTH = "2024-02"


@pytest.fixture
def landed(chess: CodeLocation) -> CodeLocation:
    """A code location with a month that is landed."""
    location = chess.with_attributes(players="erik,hikaru")
    assert location.materialize(MONTH, LANDING).result.success
    return chess


def _wait(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """Let the runs that are made from now on have waited when they begin."""
    waited = timedelta(minutes=minutes)
    monkeypatch.setattr(late_run, "_now", lambda: datetime.now(UTC) + waited)


def _restore(location: CodeLocation) -> Run:
    (load_id,) = location.landing.month("chess", "games", MONTH).listing().committed
    return location.restore(MONTH, load_id=load_id)


def _forget(location: CodeLocation) -> Run:
    op = {"config": {"player": "someone", "dry_run": False}}
    job = location.defs.resolve_job_def("chess_forget")
    return location.run(job, config={"ops": {"chess_forget_rows": op}})


@pytest.mark.parametrize("work", [_restore, _forget])
def test_a_run_that_waited_longer_than_an_hour_changes_nothing(
    landed: CodeLocation, monkeypatch: pytest.MonkeyPatch, work
) -> None:
    before = tree(Path(landed.landing.url))
    _wait(monkeypatch, 60 * 26 + 5)

    run = work(landed)

    assert not run.result.success
    job = run.result.job_def.name
    assert run.error.startswith(f"{job}: this run was asked for 26 h 5 min ago and has waited")
    assert f"launch it again:\n  python -m pipelines_project.run_job {job} " in run.error
    assert tree(Path(landed.landing.url)) == before


@pytest.mark.parametrize("work", [_restore, _forget])
def test_a_run_that_waited_for_less_does_its_work(
    landed: CodeLocation, monkeypatch: pytest.MonkeyPatch, work
) -> None:
    _wait(monkeypatch, 59)

    run = work(landed)

    assert "asked for" not in run.error
