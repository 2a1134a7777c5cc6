"""What more workers bring, while workers are killed: `make scale`."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from pipelines_project.sandbox.postgres import postgres_server
from pipelines_project_tests.databases import do_not_wait_for_the_disk
from pipelines_project_tests.deploy.land_all import Landed, land_all
from pipelines_project_tests.deploy.scale_figures import as_markdown, line
from pipelines_project_tests.deploy.served_tables import Sizes
from pipelines_project_tests.deploy.source_fleet import source_fleet
from pipelines_project_tests.object_store import Gate, gate, moto_server


def main() -> None:
    """Land the same months by more and more workers, and write down how long each took."""
    said, found = _arguments(), dict[int, Landed]()
    sizes = _sizes(said)
    # So that a command that is told to end leaves no process behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with postgres_server() as postgres, moto_server() as store, gate(store) as at_the_store:
        do_not_wait_for_the_disk(postgres)
        for workers in said.workers:
            found[workers] = _land(workers, said, sizes, postgres, at_the_store)
            print(line(workers, found[workers]), flush=True)
            # After each, because all of them take an hour.
            said.results.parent.mkdir(parents=True, exist_ok=True)
            said.results.write_text(as_markdown(found, sizes, said.latency), encoding="utf-8")
    print(f"written to {said.results}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--workers", type=int, nargs="+", default=[1, 2, 4], help="how many, one after another")
    add("--players", type=int, default=10, help="of chess")
    add("--chess-months", type=int, default=120, help="of every player")
    add("--runs", type=int, default=12, help="of each source, which share its months")
    add("--games", type=int, default=20, help="of a player in a month")
    add("--freshdesk-months", type=int, default=24, help="of the six lists")
    add("--tickets", type=int, default=100, help="that are opened in a month")
    add("--file-months", type=int, default=24, help="of JSON lines")
    add("--lines", type=int, default=500, help="of each of a month's two files")
    add("--latency", type=float, default=0.05, help="seconds that each answer of an API waits")
    add("--kills", type=int, default=6, help="of workers, spread over the months")
    add("--minutes", type=float, default=30, help="the most that so many workers may take")
    results = Path("benchmarks/results/scale.md")
    add("--results", type=Path, default=results, help="where the figures are written")
    return parser.parse_args()


def _sizes(said: argparse.Namespace) -> Sizes:
    return Sizes(
        players=[f"player{number}" for number in range(said.players)],
        games=said.games,
        tickets=said.tickets,
        lines=said.lines,
        months={
            "chess": said.chess_months,
            "freshdesk": said.freshdesk_months,
            "local_jsonl": said.file_months,
        },
        runs=said.runs,
    )


def _land(
    workers: int, said: argparse.Namespace, sizes: Sizes, postgres: str, store: Gate
) -> Landed:
    with (
        tempfile.TemporaryDirectory() as folder,
        source_fleet(
            Path(folder), sizes, said.latency, postgres=postgres, store=store, workers=workers
        ) as fleet,
    ):
        return land_all(fleet, said.kills, said.minutes)


if __name__ == "__main__":
    main()
