"""Temporary folders go with their process, and never before it."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipelines_project import temporary as module
from pipelines_project.temporary import working_folder

_WORK = """
import pathlib
from pipelines_project.temporary import working_folder
with working_folder() as folder:
    (pathlib.Path(folder) / "file").write_text("x")
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary folders are made in, for the processes of the test too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_is_empty_and_goes_with_what_is_in_it(temporary: Path) -> None:
    with working_folder() as folder:
        assert list(Path(folder).iterdir()) == []
        assert Path(folder).parent == temporary
        Path(folder, "deep", "deeper").mkdir(parents=True)

    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_killed_process_goes_when_the_next_is_made(temporary: Path) -> None:
    command = [sys.executable, "-c", _WORK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        abandoned = Path(process.stdout.readline().decode().strip())
        with working_folder() as beside:
            assert {*temporary.iterdir()} == {abandoned, Path(beside)}
        assert (abandoned / "file").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert abandoned.exists()

    with working_folder() as folder:
        assert list(temporary.iterdir()) == [Path(folder)]


def test_what_is_not_a_working_folder_stays(temporary: Path) -> None:
    (temporary / "somebody-elses").mkdir()
    (temporary / "pipelines_project-notes.txt").write_text("mine")

    with working_folder():
        pass

    assert {path.name for path in temporary.iterdir()} == {
        "somebody-elses",
        "pipelines_project-notes.txt",
    }


def test_a_folder_that_was_taken_for_abandoned_before_its_lock_is_given_up(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = module._lock, []

    def overtaken(folder: str) -> int:
        if not taken:
            taken.append(folder)
            module.delete_abandoned()
        return lock(folder)

    monkeypatch.setattr(module, "_lock", overtaken)
    with working_folder() as folder:
        assert taken != [folder]
        assert [*temporary.iterdir()] == [Path(folder)]
