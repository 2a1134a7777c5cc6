"""Serving a sandbox app over real HTTP."""

import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Thread

import uvicorn
from starlette.applications import Starlette

_SECONDS_TO_START_OR_STOP = 10


@contextmanager
def serving(app: Starlette, port: int = 0) -> Generator[str]:
    """Serve an app on this machine for as long as the context lasts.

    Args:
        app: What answers.
        port: Where to listen; 0 takes a free port.

    Yields:
        The base URL, such as `http://127.0.0.1:8765`.

    Raises:
        OSError: The port is taken.
        RuntimeError: The app failed while starting up (the log tells why), or does not stop.
    """
    # Listening here rather than in the thread: a taken port is then an error of the caller's.
    with socket.create_server(("127.0.0.1", port)) as listener:
        # Its connections inherit this. Without it, an answer's body waits 40 ms for its headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(_config(app))
        thread = Thread(target=_run, args=(server, listener), daemon=True)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.start()
        try:
            _wait_for_start(server, thread)
            yield url
        finally:
            server.should_exit = True
            thread.join(_SECONDS_TO_START_OR_STOP)
        if thread.is_alive():
            raise RuntimeError(f"the server at {url} does not stop")


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # What uvicorn would choose by itself brings warnings of deprecated packages.
        loop="asyncio",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="error",
        timeout_graceful_shutdown=1,
    )


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # How uvicorn ends when an app fails to start; `_wait_for_start` tells of it.
    with suppress(SystemExit):
        server.run(sockets=[listener])


def _wait_for_start(server: uvicorn.Server, thread: Thread) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START_OR_STOP
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server did not start; its log tells why")
        time.sleep(0.005)
