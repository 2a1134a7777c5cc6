"""A year of runs as Dagster would have kept them, written at once; and how large it makes it.

`python -m pipelines_project_tests.orchestration.history_year 730` writes two runs a day, and prints
the size of the history before and after it is cleaned.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.clean_history_job import clean_history_job

KEY = dg.AssetKey(["landing", "demo", "events"])
CHECK = "events_have_unique_keys"
_STEP_EVENTS = 30


@contextmanager
def on_disk() -> Iterator[dg.DagsterInstance]:
    """Give an instance in a folder of its own, with SQLite files as in `data/dagster`."""
    with (
        tempfile.TemporaryDirectory() as home,
        dg.DagsterInstance.from_config(home) as instance,
    ):
        yield instance


@dg.asset(
    key=KEY,
    partitions_def=dg.MonthlyPartitionsDefinition("2020-01", fmt="%Y-%m", end_offset=1),
    check_specs=[dg.AssetCheckSpec(CHECK, asset=KEY)],
)
def events(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Stand for a landing: some lines of log, a materialization, and a check."""
    for number in range(_STEP_EVENTS):
        context.log.info(f"{context.partition_key}: line {number} of what a run says of a month")
    said = {"load_id": "1795781927.0323296", "bytes": 12_345, "seconds": 0.6}
    result = dg.AssetCheckResult(passed=True, check_name=CHECK, metadata={"months": []})
    return dg.MaterializeResult(metadata=said, check_results=[result])


def write_run(instance: dg.DagsterInstance, month: str, made_at: datetime) -> str:
    """Run the asset for a month, as if it had been at another time, and return the run's id."""
    run = dg.materialize([events], instance=instance, partition_key=month).dagster_run
    # Dagster has no other way to write a run with the time at which it was made.
    instance.run_storage.delete_run(run.run_id)
    instance.run_storage.add_historical_run(run, made_at)
    return run.run_id


def write_year(instance: dg.DagsterInstance, runs: int) -> None:
    """Write so many runs of the last 365 days, each of the month in which it was."""
    now = datetime.now(UTC)
    for number in range(runs):
        made_at = now - timedelta(days=365 * (runs - number) / runs)
        write_run(instance, made_at.strftime("%Y-%m"), made_at)


def clean(instance: dg.DagsterInstance, folder: Path, **config: object) -> dict[str, object]:
    """Run the job, and return what it says."""
    job = clean_history_job()
    resources = {"landing": LandingZone(str(folder / "landing"))}
    result = job.execute_in_process(
        instance=instance,
        resources=resources,
        run_config={"ops": {"clean_old_history": {"config": config}}},
    )
    assert result.success
    [output] = [event for event in result.all_events if event.is_successful_output]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def size(instance: dg.DagsterInstance) -> int:
    """Return how many bytes the history takes on the disk."""
    files = Path(instance.root_directory).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def main() -> None:
    """Print the size of a year's history before and after."""
    runs = int(sys.argv[1])
    with on_disk() as instance, tempfile.TemporaryDirectory() as folder:
        write_year(instance, runs)
        before = size(instance)
        said = clean(instance, Path(folder), keep_days=30, dry_run=False)
        sys.stdout.write(f"{runs} runs: {before} bytes; cleaned: {size(instance)} bytes, {said}\n")


if __name__ == "__main__":
    main()
