"""A run that is cancelled, or whose storage fails, leaves whole months, and a re-run mends it."""

import errno
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines_project_tests.faults.figures import Count, parts
from pipelines_project_tests.faults.operations import Harm, Sabotage
from pipelines_project_tests.faults.place import Place, Scenario
from pipelines_project_tests.faults.sources import MOST_TESTED

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize("prepared", MOST_TESTED, indirect=True),
]

PARTS = parts(4)


def _spread(scenario: Scenario, number: int, part: int) -> list[int]:
    """Return this part's share of operations, spread over the run."""
    operations = len(scenario.operations)
    return [n * operations // number for n in range(number)][part :: len(PARTS)]


def _strike(place: Place, scenario: Scenario, sabotage: Sabotage) -> None:
    """Run once with the harm; what the run then says must be true, and no data may be lost."""
    place.live.restore(scenario.start)
    ended = place.run(sabotage)
    try:
        place.assert_whole(scenario)
        if ended.answer and ended.answer.success:
            place.assert_newest(scenario)
        elif ended.answer:
            assert ended.answer.error
        place.assert_one_rerun_mends(scenario)
    except Exception as error:
        error.add_note(f"{sabotage.harm}: {sabotage} {scenario.operations[sabotage.at]}")
        error.add_note(ended.log[-3000:])
        raise


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("harm", "figure"),
    [(Harm.CANCELLED, "cancelled runs"), (Harm.FAILS, "failing operations")],
)
def test_a_run_that_is_cancelled_or_whose_storage_fails_once_loses_nothing(
    place: Place,
    scenarios: dict[str, Scenario],
    count: Count,
    harm: Harm,
    figure: str,
    part: int,
) -> None:
    scenario = scenarios["rerun"]
    number = place.numbers.cancelled if harm is Harm.CANCELLED else place.numbers.failing
    for at in _spread(scenario, number, part):
        _strike(place, scenario, Sabotage(harm, at))
        count(figure, 1)


@pytest.mark.disk
@pytest.mark.parametrize("part", PARTS)
def test_a_disk_that_is_full_from_some_moment_on_loses_nothing(
    place: Place, scenarios: dict[str, Scenario], count: Count, part: int
) -> None:
    for at in _spread(scenarios["rerun"], place.numbers.failing // 2, part):
        _strike(place, scenarios["rerun"], Sabotage(Harm.DISK_FULL, at))
        count("full disks", 1)


@pytest.mark.disk
@pytest.mark.parametrize("folder", ["landing", "landing/{source}/{table}", "tmp"])
def test_a_folder_that_nothing_may_be_changed_in_loses_nothing_and_is_named(
    place: Place, scenarios: dict[str, Scenario], count: Count, folder: str
) -> None:
    of_table = {"source": place.source.name, "table": place.source.tables[0]}
    path = f"{place.live.data}/{folder.format(**of_table)}"
    scenario = scenarios["rerun"]
    place.live.restore(scenario.start)

    ended = place.run(Sabotage(Harm.READ_ONLY, -1, folder=path))

    assert ended.answer is None or not ended.answer.success
    assert path in (ended.answer.error if ended.answer else ended.log)
    place.assert_whole(scenario)
    place.assert_one_rerun_mends(scenario)
    count("failing operations", 1)


STEPS = {
    "staging the rows": r"^write open .*/data/tmp/",
    "storing a file": r"^write open .*/data/landing/.*\.parquet$",
    "writing the record": r"^write open .*/data/landing/.*\.json\.new$",
    "committing the load": r"^write os\.rename .*/data/landing/.*\.json\.new$",
    "deleting a stale file": r"^write os\.remove .*/data/landing/",
    "loading": r"^sql execute (insert|create|alter|delete)",
}


@pytest.mark.disk
@pytest.mark.parametrize("harm", [Harm.DISK_FULL, Harm.READ_ONLY])
@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_fills_up_or_turns_read_only_at_a_step_is_said_and_loses_nothing(
    place: Place, scenarios: dict[str, Scenario], count: Count, step: str, harm: Harm
) -> None:
    scenario = scenarios["rerun"]
    assert any(re.search(STEPS[step], each) for each in scenario.operations)
    place.live.restore(scenario.start)

    ended = place.run(Sabotage(harm, step=STEPS[step], folder=str(place.live.data)))

    said = ended.answer.error if ended.answer else ended.log
    assert ended.answer is None or not ended.answer.success
    assert os.strerror(errno.ENOSPC if harm is Harm.DISK_FULL else errno.EROFS) in said
    place.assert_whole(scenario)
    place.assert_one_rerun_mends(scenario)
    count("full disks" if harm is Harm.DISK_FULL else "failing operations", 1)


@pytest.fixture
def small_disk(place: Place) -> Iterator[Path]:
    """The data's folder on a disk of its own, of 8 MB."""
    folder = place.live.data
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(command, check=False).returncode:
        pytest.skip("only where a tmpfs can be mounted")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.disk
def test_a_real_disk_that_fills_up_loses_nothing(
    place: Place, scenarios: dict[str, Scenario], count: Count, small_disk: Path
) -> None:
    scenario = scenarios["rerun"]
    for free in range(0, 8 * 20_000, 8 * 20_000 // max(1, place.numbers.disks)):
        place.live.restore(scenario.start)
        ballast = small_disk / "ballast"
        space = os.statvfs(small_disk)
        ballast.write_bytes(bytes(space.f_bavail * space.f_bsize - free))

        ended = place.run()
        assert not (ended.answer and ended.answer.success) or free > 50_000
        ballast.unlink()

        place.assert_whole(scenario)
        place.assert_one_rerun_mends(scenario)
        count("full disks", 1)
