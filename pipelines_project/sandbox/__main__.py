"""The sandbox from the command line: `python -m pipelines_project.sandbox`."""

import argparse
import sys
import threading
from contextlib import suppress

from starlette.applications import Starlette
from starlette.routing import Mount

from pipelines_project.sandbox.chess import GeneratedArchives, chess_app
from pipelines_project.sandbox.server import serving


def main() -> None:
    """Serve the sandbox until Ctrl-C."""
    options = _options()
    chess = chess_app(GeneratedArchives(options.games_per_month))
    app = Starlette(routes=[Mount("/chess", chess)])
    try:
        with suppress(KeyboardInterrupt), serving(app, options.port) as url:
            print(f"export CHESS_API_URL={url}/chess/pub", flush=True)
            threading.Event().wait()
    except (OSError, OverflowError) as error:
        sys.exit(f"cannot serve on port {options.port}: {error}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project.sandbox",
        description="A small chess.com on this machine, with games made up for any player.",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--games-per-month", type=int, default=40, metavar="N", help="of a player (%(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
