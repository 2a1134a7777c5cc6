"""A command is run to its end, and never outlives the one who runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from pipelines_project.demo.child_process import run

_ROOT = Path(__file__).parents[2]
_OBEDIENT = "import time; print('started', flush=True); time.sleep(60)"
_STUBBORN = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {_OBEDIENT}"
# Tells the command's process id, and when the command has written something.
_RUNNER = """
import os, pathlib, signal, subprocess, sys, threading, time
from pipelines_project.demo import child_process

class Told(subprocess.Popen):
    def __init__(self, *args, stdout, **kwargs):
        super().__init__(*args, stdout=stdout, **kwargs)
        print(self.pid, flush=True)
        {at_start}
        threading.Thread(target=self.tell_of, args=[stdout.fileno()], daemon=True).start()

    def tell_of(self, written):
        while not os.fstat(written).st_size:
            time.sleep(0.01)
        print("started", flush=True)

subprocess.Popen = Told
child_process._SECONDS_TO_STOP = 0.5
child_process.exit_on_signals()
child_process.run([sys.executable, "-c", sys.argv[1]], os.environ)
"""


def _runner(script: str, at_start: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUNNER.format(at_start=at_start), script]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=_ROOT, stdout=pipe, stderr=pipe, text=True)


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_exit_code_and_all_output_are_returned() -> None:
    script = "import os, sys; print(os.environ); print('no', file=sys.stderr); sys.exit(3)"

    code, output = run([sys.executable, "-u", "-c", script], {"ONLY": "this"})

    assert code == 3
    assert "'ONLY': 'this'" in output
    assert "PATH" not in output
    assert output.endswith("no\n")


def test_a_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-command"):
        run(["no-such-command"], {})


@pytest.mark.parametrize(
    ("number", "script"),
    [
        (signal.SIGINT, _OBEDIENT),
        (signal.SIGTERM, _OBEDIENT),
        (signal.SIGHUP, _OBEDIENT),
        (signal.SIGTERM, _STUBBORN),
    ],
)
def test_a_signal_to_the_runner_ends_the_command_too(number: signal.Signals, script: str) -> None:
    with _runner(script) as runner:
        pid = int(_line(runner.stdout))
        assert _line(runner.stdout) == "started"
        assert _is_running(pid)
        runner.send_signal(number)
        _, errors = runner.communicate()

    assert (runner.returncode, errors) == (128 + number, "stopping …\n")
    assert not _is_running(pid)


def test_a_signal_during_the_start_ends_the_command_too() -> None:
    with _runner(_OBEDIENT, at_start="os.kill(os.getpid(), signal.SIGTERM)") as runner:
        pid = int(_line(runner.stdout))
        runner.communicate()

    assert runner.returncode == 128 + signal.SIGTERM
    assert not _is_running(pid)


def test_a_closed_terminal_ends_the_command_too() -> None:
    with _runner(_OBEDIENT) as runner:
        pid = int(_line(runner.stdout))
        assert _line(runner.stdout) == "started"
        for stream in (runner.stdout, runner.stderr):
            assert stream is not None
            stream.close()
        runner.send_signal(signal.SIGHUP)

    assert not _is_running(pid)
