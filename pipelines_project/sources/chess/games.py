"""chess.com monthly archives, from the Published-Data API, as one dlt resource of games.

Data flow:
    players ─▶ /player/{p}/games/archives ─▶ is the month listed? ─▶ /player/{p}/games/{YYYY}/{MM}
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import dlt
import duckdb
import pyarrow as pa
from dlt.common import json
from dlt.extract import DltResource

from pipelines_project.sources.chess.archives import PlayerArchives
from pipelines_project.sources.chess.columns import (
    DOCUMENTED,
    documented_games,
    game_rows,
    no_games,
    sorted_games,
)
from pipelines_project.sources.chess.kept_answers import KeptAnswers, KeptTables
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.arrow_parser import UnfitJsonError
from pipelines_project.sources.json.shape import Shape, merged
from pipelines_project.temporary import duckdb_session

GAME_KEY = ("player", "url")
_SCHEMA_VERSION = hashlib.sha256(json.dumpb(DOCUMENTED)).hexdigest()[:16]


class GamesByMonth:
    """The games that the players finished in a month, one row a game and player.

    A game's own `end_time` may lie in the next month: the archive decides.
    """

    def __init__(self, archives: PlayerArchives) -> None:
        """Take the games from these archives."""
        self._archives = archives
        players = ",".join(archives.players)
        # A digest, so that a record does not name a player without games in its month.
        self._made_for = {
            "players": hashlib.sha256(players.encode()).hexdigest()[:16],
            "schema": _SCHEMA_VERSION,
        }

    def __call__(self, month: str, fetch: Fetch) -> DltResource:
        """Return the month's resource; while it is read it raises as `PlayerArchives.month` does.

        It asks only then: a load's id, which is a time, must be older than its answers, so that
        of two loads the later one has the later answers.
        """

        def games() -> Iterator[pa.Table]:
            yield from self._tables(month, fetch)

        return dlt.resource(games, name="games")

    def _etags(self, facts: Mapping[str, str]) -> dict[str, str] | None:
        """Return the ETags of a load's answers, None if it was made for others than these."""
        if not self._made_for.items() <= facts.items():
            return None
        return {name: value for name, value in facts.items() if "://" in name}

    def _tables(self, month: str, fetch: Fetch) -> Iterator[pa.Table]:
        """Yield a table for each answer, all with the same columns, as dlt needs them."""
        answers = self._archives.month(month, self._etags(fetch.facts_before))
        if answers.etags is not None:
            fetch.facts.update(self._made_for | answers.etags)
        with ExitStack() as opened:
            shape, games = DOCUMENTED, _documented(month, answers)
            if games is None:
                connection = opened.enter_context(duckdb_session(threads=1))
                shape, games = _of_any_shape(connection, month, answers)
            # So that a month without games has its columns too.
            yield no_games(shape)
            for player, rows in games:
                fetch.facts[f"{_GAMES_OF}{player}"] = str(len(rows))
                yield rows


_Games = Iterable[tuple[str, pa.Table]]
"""The games of each player, as typed rows."""


def _documented(month: str, answers: KeptAnswers) -> _Games | None:
    """Return the games of all answers; None if one has something that is not documented."""
    kept = KeptTables()
    try:
        for player, answer in answers:
            with _named(player, month):
                kept.keep(player, documented_games(player, answer))
    except UnfitJsonError:
        return None
    return kept


def _of_any_shape(
    connection: duckdb.DuckDBPyConnection, month: str, answers: KeptAnswers
) -> tuple[Shape, _Games]:
    """Return the shape of the games of all answers, and the games with the columns of it."""
    shape, kept = DOCUMENTED, KeptTables()
    for player, answer in answers:
        with _named(player, month):
            games = sorted_games(connection, player, answer)
        shape = merged(shape, games.shape)
        kept.keep(player, games.landing)
    return shape, _typed(connection, month, kept, shape)


def _typed(
    connection: duckdb.DuckDBPyConnection, month: str, kept: KeptTables, shape: Shape
) -> Iterator[tuple[str, pa.Table]]:
    for player, lines in kept:
        with _named(player, month):
            yield player, game_rows(connection, lines, shape)


_GAMES_OF = "games of "


def games_by_player(facts: Mapping[str, str]) -> dict[str, int]:
    """Return how many games of each player a load has, by the facts of its record."""
    return {
        name.removeprefix(_GAMES_OF): int(games)
        for name, games in facts.items()
        if name.startswith(_GAMES_OF)
    }


@contextmanager
def _named(player: str, month: str) -> Generator[None]:
    """Name the player whose games cannot become rows."""
    try:
        yield
    except ValueError as error:
        raise SourceError(f"chess.com answered {month} of {player!r}: {error}") from error
