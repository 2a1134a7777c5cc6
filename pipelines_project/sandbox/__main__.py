"""The sandbox from the command line: `python -m pipelines_project.sandbox`."""

import argparse
import sys
import threading
from contextlib import suppress

from pipelines_project.sandbox.server import serving
from pipelines_project.sandbox.services import service_settings, services_app


def main() -> None:
    """Serve the sandbox until Ctrl-C."""
    options = _options()
    app = services_app(options.games_per_month)
    try:
        with suppress(KeyboardInterrupt), serving(app, options.port) as url:
            for name, value in service_settings(url).items():
                print(f"export {name}={value}", flush=True)
            threading.Event().wait()
    except (OSError, OverflowError) as error:
        sys.exit(f"cannot serve on port {options.port}: {error}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project.sandbox",
        description="A small chess.com and a small Freshdesk on this machine, with made-up data.",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--games-per-month", type=int, default=40, metavar="N", help="of a player (%(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
