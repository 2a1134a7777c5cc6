"""Running a command that never outlives the one who runs it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Dagster takes a while to record that a run was interrupted.
_SECONDS_TO_STOP = 20


def exit_on_signals() -> None:
    """Turn Ctrl-C and the signals that end a process into `SystemExit`, so that clean-up runs.

    It must be called in the main thread. A shell that starts a command in the background has
    Ctrl-C ignored, which the command's own commands would inherit; this ends that too.
    """
    for each in _SIGNALS:
        signal.signal(each, _exit)


def _exit(number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C would break off the clean-up, which does not take long.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command to its end, in the main thread; if this process is told to stop, stop it.

    Returns:
        Its exit code, and all that it wrote.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = None
        try:
            with _signals_held():
                process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # Away from the terminal's Ctrl-C: `_stop` sends it once, and waits.
                    start_new_session=True,
                )
            code = process.wait()
        finally:
            if process:
                _stop(process)
        output.seek(0)
        return code, output.read()


@contextmanager
def _signals_held() -> Generator[None]:
    """Let signals that come meanwhile act at the end, when what was begun can be undone."""
    came: list[int] = []
    handlers = {
        each: signal.signal(each, lambda number, _: came.append(number)) for each in _SIGNALS
    }
    try:
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    # The terminal may be gone.
    with suppress(OSError):
        print("stopping …", file=sys.stderr)
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
