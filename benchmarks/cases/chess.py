"""Months of chess games from an API on this machine: all of them, and all of them again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks import commands
from benchmarks.case import Case, Contender, Figures, Target, ratio
from benchmarks.commands import data_settings, first_months, plain_script
from benchmarks.measure import in_process
from benchmarks.server import FIRST_MONTH, service

_PLAYER = "hikaru"
_GAMES = 1_000
KEYS = ("landing/chess/games", "warehouse/chess/games")
_HEADERS = {"User-Agent": "benchmark (contact: benchmark@example.com)"}


@dataclass(frozen=True)
class ChessMonths:
    """The months to fetch, and where from."""

    url: str
    months: list[str]

    def settings(self, folder: Path) -> dict[str, str]:
        """The settings of a code location that fetches them and keeps its data in a folder."""
        return {
            "CHESS_API_URL": self.url,
            "CHESS_PLAYERS": _PLAYER,
            "CHESS_CONTACT": "benchmark@example.com",
            "CHESS_START_MONTH": FIRST_MONTH,
            **data_settings(folder),
        }

    def transfer(self) -> None:
        """Ask for the list of months and for every month, and throw the answers away."""
        with requests.Session() as session:
            session.headers.update(_HEADERS)
            player = f"{self.url}/player/{_PLAYER}/games"
            session.get(f"{player}/archives").raise_for_status()
            for month in self.months:
                session.get(f"{player}/{month.replace('-', '/')}").raise_for_status()


@contextmanager
def chess_months(count: int, games: int = _GAMES) -> Iterator[ChessMonths]:
    """Serve months of a player, each with as many games."""
    with service("chess", games) as url:
        served = ChessMonths(f"{url}/pub", first_months(count))
        served.transfer()
        yield served


def backfill(served: ChessMonths, folder: Path) -> Figures:
    """Land and load the months in one run from the command line; again, if `folder` has them."""
    return commands.materialize(KEYS, served.months, served.settings(folder))


def _ours(served: ChessMonths, place: Path) -> Figures:
    return backfill(served, place / "ours")


def _plain(served: ChessMonths, place: Path) -> Figures:
    return plain_script("chess_months", place / "plain", served.url, _PLAYER, *served.months)


def _no_work(served: ChessMonths, _place: Path) -> Figures:
    settings = {"START_MONTH": FIRST_MONTH}
    keys, module = ("landed", "loaded"), "benchmarks.plain.no_work"
    return commands.materialize(keys, served.months, settings, module)


def _transfer(served: ChessMonths, _place: Path) -> Figures:
    return in_process(served.transfer)


CHESS_BACKFILL = Case(
    name="chess_backfill",
    what="Months of 1,000 games: `dagster asset materialize` with the warehouse, a dlt script "
    "that only lands them, the same command for two assets that do nothing, and the bare HTTP "
    "transfer.",
    unit="months",
    # One month is what a run costs at least, so that the others tell what a month costs.
    sizes={1: 3, 12: 3, 120: 3},
    prepared=lambda size, _: chess_months(size),
    contenders={
        "ours": Contender(_ours),
        "plain dlt": Contender(_plain),
        "dagster alone": Contender(_no_work),
        "http": Contender(_transfer),
    },
    targets=(
        Target("12 months: ours over plain dlt", 1.5, ratio(("ours", 12), ("plain dlt", 12))),
        Target("120 months: ours over plain dlt", 0.75, ratio(("ours", 120), ("plain dlt", 120))),
        # A second more where Dagster alone takes 1.74.
        Target("1 month: ours over Dagster alone", 1.57, ratio(("ours", 1), ("dagster alone", 1))),
        Target(
            "a month more, after the 12th over before it",
            1.1,
            lambda took: (
                (took["ours", 120]["seconds"] - took["ours", 12]["seconds"])
                / 108
                / ((took["ours", 12]["seconds"] - took["ours", 1]["seconds"]) / 11)
            ),
        ),
    ),
)

RERUN_UNCHANGED = Case(
    name="rerun_unchanged",
    what="Months of 1,000 games, and the same months again with nothing new.",
    unit="months",
    sizes={120: 3},
    prepared=lambda size, _: chess_months(size),
    contenders={"first run": Contender(_ours), "re-run": Contender(_ours)},
    targets=(
        Target(
            "120 months: re-run over first run", 0.3, ratio(("re-run", 120), ("first run", 120))
        ),
    ),
)
