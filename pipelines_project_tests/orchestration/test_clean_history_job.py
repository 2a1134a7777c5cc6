"""The job that cleans up after years: what goes, and what must never go."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickData, TickStatus  # They have no public name.

from pipelines_project.glue.manifest import manifest_path
from pipelines_project.orchestration import clean_history_job, old_history
from pipelines_project_tests.code_location import LANDING, CodeLocation
from pipelines_project_tests.orchestration.history_year import (
    CHECK,
    KEY,
    clean,
    on_disk,
    size,
    write_run,
)

pytestmark = pytest.mark.stack

_LONG_AGO = datetime.now(UTC) - timedelta(days=400)
_CHECK_KEY = dg.AssetCheckKey(KEY, CHECK)


@pytest.fixture
def history() -> Iterator[dg.DagsterInstance]:
    with on_disk() as instance:
        yield instance


@pytest.fixture
def location(chess: CodeLocation, history: dg.DagsterInstance) -> CodeLocation:
    """The code location, whose history is on the disk."""
    return replace(chess, instance=history)


def _files(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """Return the files and folders that have a run's id in their name."""
    return [path for path in Path(instance.root_directory).rglob("*") if run_id in path.name]


def test_runs_of_long_ago_go_with_all_that_is_kept_of_them_but_never_the_newest_of_a_month(
    history: dg.DagsterInstance, tmp_path: Path
) -> None:
    old = [write_run(history, "2024-01", _LONG_AGO) for _ in range(3)]
    other = write_run(history, "2024-02", _LONG_AGO)
    young = write_run(history, "2024-03", datetime.now(UTC))
    before = size(history)

    counted = clean(history, tmp_path, dry_run=True)
    assert (counted["runs"], counted["runs_kept_as_newest"]) == (2, 2)
    assert size(history) >= before
    said = clean(history, tmp_path, dry_run=False, batch=1)
    assert said["runs"] == 2

    left = {run.run_id for run in history.get_runs() if run.job_name != "clean_history"}
    assert left == {old[2], other, young}
    assert history.get_materialized_partitions(KEY) == {"2024-01", "2024-02", "2024-03"}
    assert [*_files(history, old[0]), *_files(history, old[1])] == []
    assert history.all_logs(old[2])
    checks = history.event_log_storage.get_asset_check_execution_history(_CHECK_KEY, 100)
    assert {record.run_id for record in checks} == left
    assert size(history) < before


def test_the_logs_of_a_run_that_stays_go_and_it_is_the_same_to_clean_twice(
    history: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = write_run(history, "2024-01", _LONG_AGO)
    logs = history.compute_log_manager
    log_key = logs.build_log_key_for_run(run_id, "step")
    with logs.capture_logs(log_key):
        pass
    assert [path for path in _files(history, run_id) if path.is_dir()]

    clean(history, tmp_path, dry_run=False)
    again = clean(history, tmp_path, dry_run=False)

    assert not [path for path in _files(history, run_id) if path.is_dir()]
    assert again["runs"] == 0
    assert history.get_run_by_id(run_id)


def test_a_run_whose_check_looked_at_all_months_stays_until_each_was_looked_at_again(
    history: dg.DagsterInstance, tmp_path: Path
) -> None:
    def evaluated(*months: str) -> str:
        @dg.asset_check(asset=KEY, name=CHECK)
        def check() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True, metadata={"months": [*months]})

        job = dg.Definitions(
            asset_checks=[check],
            jobs=[dg.define_asset_job("checks", dg.AssetSelection.checks(check))],
        ).resolve_job_def("checks")
        run = job.execute_in_process(instance=history).dagster_run
        history.run_storage.delete_run(run.run_id)
        history.run_storage.add_historical_run(run, _LONG_AGO)
        return run.run_id

    first = evaluated("2024-01", "2024-02")
    second = evaluated("2024-02")
    clean(history, tmp_path, dry_run=False)
    assert history.has_run(first)
    assert history.has_run(second)

    third = evaluated("2024-01")
    clean(history, tmp_path, dry_run=False)
    assert not history.has_run(first)
    assert history.has_run(second)
    assert history.has_run(third)


def test_a_run_whose_deletion_was_broken_off_is_deleted_by_the_next(
    history: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [write_run(history, "2024-01", _LONG_AGO) for _ in range(2)]
    # As if the process had died after Dagster's part.
    history.delete_run(runs[0])
    assert _files(history, runs[0])

    said = clean(history, tmp_path, dry_run=False)

    assert said["files_of_deleted_runs"] == 1
    assert not [path for path in _files(history, runs[0]) if path.suffix == ".db"]


def test_superseded_loads_of_long_ago_go_only_if_asked_for_and_the_current_one_stays(
    location: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    location.materialize("2024-01", LANDING)
    location.materialize("2024-01", LANDING, keep_loads=1)
    month = location.landing.month("chess", "games", "2024-01")
    assert len(month.listing().committed) == 2
    job = location.defs.resolve_job_def("clean_history")

    def run(**config: object) -> None:
        nested = {"ops": {"clean_old_history": {"config": {"dry_run": False, **config}}}}
        assert location.run(job, config=nested).result.success

    run(loads_keep_days=1)

    class InTwoDays(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=2)

    monkeypatch.setattr(clean_history_job, "datetime", InTwoDays)
    run()
    assert len(month.listing().committed) == 2
    # As where a run was killed before it had Athena read the current load.
    [old] = [path for path in month.files_of_load(month.listing().committed[1]) if "/_" not in path]
    manifest = Path(manifest_path(month))
    manifest.parent.mkdir(parents=True)
    manifest.write_text(f"file://{old}\n")
    run(loads_keep_days=1)
    assert Path(old).exists()
    manifest.unlink()
    run(loads_keep_days=1)
    [current] = month.listing().committed
    assert month.listing().files.keys() == {current}


def test_what_a_killed_run_has_left_is_counted_and_goes(
    history: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "pipelines_project-left"
    left.mkdir()

    assert clean(history, tmp_path, dry_run=True)["temporary_folders"] == 1
    assert left.exists()
    assert clean(history, tmp_path, dry_run=False)["temporary_folders"] == 1
    assert not left.exists()


def test_a_file_that_is_in_use_keeps_its_size_and_the_job_goes_on(
    history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_history, "_LOCK_SECONDS", 0.1)
    schedules = Path(history.root_directory, "schedules", "schedules.db")
    with closing(sqlite3.connect(schedules, isolation_level=None)) as user:
        user.execute("begin immediate")
        said = [*old_history.vacuum(history)]

    assert [each for each in said if "schedules.db keeps its size" in each]
    assert [each for each in said if "index.db: " in each]


def test_the_launchpad_deletes_nothing_unless_told_to(location: CodeLocation) -> None:
    run = location.run(location.defs.resolve_job_def("clean_history"))

    assert run.output_metadata["dry_run"] is True


@dg.sensor(name="looks", target="*")
def _looks() -> dg.SkipReason:
    return dg.SkipReason("there is nothing")


looking = dg.Definitions(sensors=[_looks], assets=[dg.AssetSpec("anything")])


def test_ticks_of_long_ago_go_and_young_ones_stay(
    history: dg.DagsterInstance, tmp_path: Path
) -> None:
    # Only Dagster's command line makes a sensor's state, and only its daemon ticks.
    home = {**os.environ, "DAGSTER_HOME": history.root_directory}
    start = ["sensor", "start", "looks", "-m", __name__, "-a", "looking"]
    subprocess.run([sys.executable, "-m", "dagster", *start], env=home, check=True)
    [state] = history.all_instigator_state()
    which = state.instigator_origin_id, state.selector_id
    for days in (400, 1):
        at = datetime.now(UTC) - timedelta(days=days)
        tick = TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name=state.instigator_name,
            instigator_type=state.instigator_type,
            status=TickStatus.SKIPPED,
            timestamp=at.timestamp(),
            selector_id=state.selector_id,
        )
        history.create_tick(tick)

    assert clean(history, tmp_path, dry_run=True)["ticks"] == 1
    assert len(history.get_ticks(*which)) == 2
    assert clean(history, tmp_path, dry_run=False)["ticks"] == 1
    [left] = history.get_ticks(*which)
    assert left.timestamp > (datetime.now(UTC) - timedelta(days=2)).timestamp()
