"""What a command takes is its own, and a command that fails says why."""

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.case import CPU, PEAK, SECONDS
from benchmarks.measure import command, in_process


def _python(code: str, folder: Path) -> dict[str, float]:
    return command([sys.executable, "-c", code], folder, os.environ)


@pytest.mark.stack
def test_a_command_is_measured_alone(tmp_path: Path) -> None:
    ballast = bytearray(200_000_000)
    took = _python(
        "import time; held = bytearray(60_000_000); time.sleep(0.1);"
        "open('done', 'w').close(); end = time.process_time() + 0.1\n"
        "while time.process_time() < end: pass",
        tmp_path,
    )
    del ballast

    assert (tmp_path / "done").exists()
    assert took[SECONDS] > 0.2
    assert 0.1 < took[CPU] < took[SECONDS]
    assert 60 < took[PEAK] < 120


def test_a_command_that_fails_is_an_error_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"failed \(3\):\n(.|\n)*no luck"):
        _python("import sys; print('no luck'); sys.exit(3)", tmp_path)


def test_work_in_this_process_is_measured_without_what_was_before() -> None:
    took = in_process(lambda: time.sleep(0.05))

    assert took[SECONDS] >= 0.05
    assert took[CPU] < 0.05
