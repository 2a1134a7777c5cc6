"""chess.com monthly archives, from the Published-Data API, as one dlt resource of games.

Data flow:
    players ─▶ /player/{p}/games/archives ─▶ is the month listed? ─▶ /player/{p}/games/{YYYY}/{MM}
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import dlt
import pyarrow as pa
from dlt.common import json
from dlt.extract import DltResource

from pipelines_project.sources.chess.archives import PlayerArchives
from pipelines_project.sources.chess.columns import DOCUMENTED, game_rows, no_games, sorted_games
from pipelines_project.sources.chess.kept_answers import Answer, KeptAnswers
from pipelines_project.sources.comparable import Comparable
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.shape import merged
from pipelines_project.temporary import duckdb_session

GAME_KEY = ("player", "url")
_SCHEMA_VERSION = hashlib.sha256(json.dumpb(DOCUMENTED)).hexdigest()[:16]


class GamesByMonth(Comparable):
    """The games that the players finished in a month, one row a game and player.

    A game's own `end_time` may lie in the next month: the archive decides.
    """

    def __init__(self, archives: PlayerArchives) -> None:
        """Take the games from these archives."""
        self._archives = archives
        self._fetched: dict[str, str] = {}

    def __call__(self, month: str) -> DltResource:
        """Return the month's resource; while it is read it raises as `PlayerArchives.month` does.

        It asks only then: a load's id, which is a time, must be older than its answers, so that
        of two loads the later one has the later answers.
        """
        return dlt.resource(self._tables(month), name="games")

    def ask(self, month: str) -> dict[str, str]:
        """Return the ETag of each answer, with players and schema; nothing if one has no ETag."""
        return self._facts(self._archives.month(month))

    def fetched(self) -> dict[str, str]:
        """Return the same of the answers that were extracted last."""
        return self._fetched

    def _facts(self, answers: KeptAnswers) -> dict[str, str]:
        if answers.etags is None:
            return {}
        players = ",".join(self._archives.players)
        return {"players": players, "schema": _SCHEMA_VERSION, **answers.etags}

    def _tables(self, month: str) -> Iterator[pa.Table]:
        """Yield a table for each answer, all with the same columns, as dlt needs them."""
        answers = self._archives.month(month)
        self._fetched = self._facts(answers)
        with duckdb_session(threads=1) as connection:
            shape, as_read = DOCUMENTED, list[bool]()
            for answer in answers:
                with _named(answer, month):
                    games = sorted_games(connection, *answer)
                shape = merged(shape, games.shape)
                as_read.append(games.as_read)
            # So that a month without games has its columns too.
            yield no_games(shape)
            for answer, is_as_read in zip(answers, as_read, strict=True):
                with _named(answer, month):
                    rows = game_rows(connection, *answer, shape, is_as_read)
                yield rows


@contextmanager
def _named(answer: Answer, month: str) -> Iterator[None]:
    """Name the answer whose games cannot become rows."""
    try:
        yield
    except ValueError as error:
        raise SourceError(f"chess.com answered {month} of {answer.subject!r}: {error}") from error
