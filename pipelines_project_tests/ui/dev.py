"""`make dev` in a checkout of its own, beside the services of the sandbox."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from pipelines_project_tests.examples.reader import Checkout, checkout

_SECONDS_TO_START = 180
_SECONDS_TO_STOP = 60


@dataclass(frozen=True)
class Dev:
    """A running UI: its address, and the checkout that it shows."""

    url: str
    place: Checkout


@contextmanager
def make_dev(folder: Path, **settings: str) -> Iterator[Dev]:
    """Run `make dev` until the context ends; its data is below the folder.

    Args:
        folder: where the checkout is made.
        settings: more environment variables.
    """
    place = checkout(folder)
    place = Checkout(folder, {**place.settings, **settings})
    port = _free_port()
    log = folder / "make_dev.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "dev", f"PORT={port}"],
            cwd=folder,
            env=place.settings,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(process, url, log)
            yield Dev(url, place)
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        with suppress(requests.RequestException):
            if requests.get(f"{url}/server_info", timeout=5).ok:
                return
        assert process.poll() is None, log.read_text()[-5000:]
        assert time.monotonic() < deadline, f"no UI in time: {log.read_text()[-5000:]}"
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it as Ctrl-C does; what is left after a while of what it has started is killed."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(_SECONDS_TO_STOP)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
