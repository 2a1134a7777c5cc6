"""The sensor asks for the months whose files changed, once for each change; also in a daemon."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines_project.components.files import LocalJsonlSource
from pipelines_project.defs.resources import resources
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.json_lines import jsonl, write_lines
from pipelines_project_tests.jsonl_location import attributes

_ROOT = Path(__file__).parents[2]
_OLD = (1_000_000_000, 1_000_000_000)


def _source(raw: Path, **others: Any) -> LocalJsonlSource:
    return LocalJsonlSource(**attributes(raw, **others))


@dg.definitions
def watching_definitions() -> dg.Definitions:
    """What the daemon here watches: a folder named by the environment, every second."""
    source = _source(Path(os.environ["RAW_URL"]), settle_seconds=0.5, watch_seconds=1)
    context = dg.ComponentTree.for_test().load_context
    return dg.Definitions.merge(resources(), source.build_defs(context))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder with an old file in each of two months."""
    for month in ("2024-01", "2024-02"):
        os.utime(write_lines(tmp_path / "raw", jsonl({"v": 1}), month=month), _OLD)
    return tmp_path / "raw"


@pytest.fixture
def tick(raw: Path, instance: dg.DagsterInstance) -> Callable[[], dg.SensorResult]:
    """Let the sensor look, each time with the cursor of the time before."""
    [sensor] = _source(raw).sensors()
    cursor: list[str | None] = [None]

    def look() -> dg.SensorResult:
        context = dg.build_sensor_context(instance, cursor=cursor[0])
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        cursor[0] = result.cursor
        return result

    return look


def _months(result: dg.SensorResult) -> list[str | None]:
    return [request.partition_key for request in result.run_requests or []]


def test_a_month_is_asked_for_when_it_is_new_and_when_it_changes(
    raw: Path, tick: Callable[[], dg.SensorResult]
) -> None:
    assert _months(tick()) == ["2024-01", "2024-02"]
    assert _months(tick()) == []

    os.utime(write_lines(raw, jsonl({"v": 2}), "late.jsonl"), _OLD)
    assert _months(tick()) == ["2024-01"]
    # As large and as old as before.
    os.utime(write_lines(raw, jsonl({"v": 3}), month="2024-02"), _OLD)
    assert _months(tick()) == ["2024-02"]
    (raw / "events" / "2024-02" / "a.jsonl").unlink()
    assert _months(tick()) == ["2024-02"]
    assert _months(tick()) == []


def test_a_file_that_is_being_written_keeps_its_month_waiting(
    raw: Path, tick: Callable[[], dg.SensorResult]
) -> None:
    path = write_lines(raw, jsonl({"v": 1}), "b.jsonl")

    first = tick()
    assert _months(first) == ["2024-02"]
    waiting = tick()
    assert (_months(waiting), str(waiting.skip_reason)) == (
        [],
        "SkipReason(skip_message='still being written: 2024-01')",
    )
    os.utime(path, _OLD)
    assert _months(tick()) == ["2024-01"]


def test_months_that_are_no_partitions_are_left_alone(
    raw: Path, tick: Callable[[], dg.SensorResult]
) -> None:
    for month in ("2023-12", "2024-13", "2999-01"):
        os.utime(write_lines(raw, jsonl({"v": 1}), month=month), _OLD)

    assert _months(tick()) == ["2024-01", "2024-02"]


def test_a_folder_that_is_not_there_fails_the_tick_and_forgets_nothing(
    raw: Path, tick: Callable[[], dg.SensorResult]
) -> None:
    tick()
    raw.rename(raw.with_name("away"))
    with pytest.raises(Exception, match="there is no folder"):
        tick()
    raw.with_name("away").rename(raw)

    assert _months(tick()) == []


def test_run_keys_differ_by_table_month_and_content(
    raw: Path, tick: Callable[[], dg.SensorResult]
) -> None:
    keys = [request.run_key for request in tick().run_requests or []]
    write_lines(raw, jsonl({"v": 5}))
    os.utime(raw / "events" / "2024-01" / "a.jsonl", _OLD)
    keys += [request.run_key for request in tick().run_requests or []]

    assert len(set(keys)) == 3
    assert all(key and key.startswith("events 2024-0") for key in keys)


@pytest.mark.stack
def test_a_tick_over_ten_thousand_files_takes_less_than_a_second(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    for month in range(1, 11):
        folder = tmp_path / f"events/2024-{month:02d}"
        folder.mkdir(parents=True)
        for number in range(1000):
            (folder / f"{number}.jsonl").touch()
    [sensor] = _source(tmp_path, settle_seconds=0).sensors()

    started = time.process_time()
    result = sensor(dg.build_sensor_context(instance))
    taken = time.process_time() - started

    assert isinstance(result, dg.SensorResult)
    assert len(_months(result)) == 10
    assert len(result.cursor or "") < 2000
    assert taken < 1


@pytest.fixture
def daemon_instance(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """An instance with the project's settings, whose daemon runs and has the sensor on."""
    shutil.copy(_ROOT / "data" / "dagster" / "dagster.yaml", tmp_path)
    shutil.rmtree(raw / "events" / "2024-02")
    for name, value in {
        "DAGSTER_HOME": tmp_path,
        "RAW_URL": raw,
        "LANDING_URL": tmp_path / "landing",
        "WAREHOUSE_URL": tmp_path / "warehouse.duckdb",
    }.items():
        monkeypatch.setenv(name, str(value))
    where = ["-m", __name__, "-a", "watching_definitions"]
    start = ["-m", "dagster", "sensor", "start", "local_jsonl_events_changed_months", *where]
    subprocess.run([sys.executable, *start], cwd=_ROOT, check=True)
    # Start-up must not take SIGINT as ignored, as it is in the background of a script.
    daemon = subprocess.Popen(
        [sys.executable, "-m", "dagster._daemon", "run", *where],
        cwd=_ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        with dg.DagsterInstance.get() as opened:
            yield opened
    finally:
        daemon.send_signal(signal.SIGINT)
        daemon.wait(30)


@pytest.mark.stack
@pytest.mark.long
def test_a_daemon_lands_what_is_dropped_and_nothing_when_nothing_is(
    daemon_instance: dg.DagsterInstance, raw: Path, tmp_path: Path
) -> None:
    def wait(runs: int) -> None:
        give_up = time.monotonic() + 150
        while True:
            statuses = [run.status for run in daemon_instance.get_runs()]
            if len(statuses) == runs and {*statuses} == {dg.DagsterRunStatus.SUCCESS}:
                return
            assert time.monotonic() < give_up, statuses
            assert dg.DagsterRunStatus.FAILURE not in statuses
            time.sleep(0.2)

    warehouse = Warehouse(url=str(tmp_path / "warehouse.duckdb"))
    query = "select month, v from local_jsonl.events order by all"
    wait(runs=1)
    assert warehouse.rows(query) == [("2024-01", 1)]

    write_lines(raw, jsonl({"v": 2}), "b.jsonl")
    wait(runs=2)
    assert warehouse.rows(query) == [("2024-01", 1), ("2024-01", 2)]

    # Some ticks without any change.
    time.sleep(3)
    assert len(daemon_instance.get_runs()) == 2
