"""What a run takes, in this process or in one of its own."""

import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.case import CPU, PEAK, SECONDS, Figures

_LOOK_EVERY_SECONDS = 0.02
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def in_process(work: Callable[[], object]) -> Figures:
    """Do the work here, where what it imports is imported already, and return what it took."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return {SECONDS: time.perf_counter() - started, CPU: time.process_time() - cpu}


def command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Figures:
    """Run a command to its end in a folder, and return what it took, its start included.

    The peak memory is that of the command's first process, where the system is one that tells.

    Args:
        arguments: the command.
        folder: its working directory.
        environment: its whole environment.

    Raises:
        RuntimeError: it failed; the message is what it wrote.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        # Or it would wait for the disk to write what the one before it left behind.
        os.sync()
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code, usage, peak = _end_of(process.pid)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
        # Popen would wait for it once more.
        process.returncode = code
        if code:
            output.seek(0)
            raise RuntimeError(f"{arguments} failed ({code}):\n{output.read()}")
    return {SECONDS: seconds, CPU: usage.ru_utime + usage.ru_stime, **peak}


def _end_of(pid: int) -> tuple[int, resource.struct_rusage, Figures]:
    """Wait for a process, and return its exit code, what it used, and its peak memory.

    The peak that is known at the end would count this process too, which the other was a copy of
    before its command began.
    """
    peak: Figures = {}
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), usage, peak
        peak |= _peak_so_far(pid)
        time.sleep(_LOOK_EVERY_SECONDS)


def _peak_so_far(pid: int) -> Figures:
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        return {}
    return {PEAK: int(found[1]) / 1024} if found else {}
