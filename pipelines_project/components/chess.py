"""The chess.com source as a component: its settings, and when a month must not be replaced."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import duckdb
from pydantic import Field, field_validator

from pipelines_project.components import monthly_source
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.chess.archives import API_URL, PlayerArchives
from pipelines_project.sources.chess.games import GAME_KEY, GamesByMonth
from pipelines_project.sources.http.api_calls import (
    ApiCalls,
    HttpCache,
    SourceError,
    retrying_session,
)
from pipelines_project.table import Extract, NewLoad, Table
from pipelines_project.temporary import duckdb_session
from pipelines_project.warehouse.columns import READ_FILES

_ADDRESS = re.compile(r"https?://([\w.-]+|\[[0-9a-f:]+\])(:[1-6]?[0-9]{1,4})?(/[\w./-]*)?", re.A)
# What a header can hold: one line in Latin letters.
_CONTACT = re.compile(r"[!-~]+( [!-~]+)*")
_PLAYER = re.compile(r"[a-z0-9_-]{1,50}")


class ChessSource(monthly_source.MonthlySource):
    """The monthly archives of chess.com players, asked one request at a time."""

    source: ClassVar[str] = "chess"
    subject_name: ClassVar[str] = "player"

    players: str = Field(description="The chess.com user names to track, separated by commas.")
    contact: str = Field(
        description="An e-mail or web address for the User-Agent: chess.com answers 403 without."
    )
    api_url: str = Field(default=API_URL, description="The address of the API.")
    http_cache: str = Field(
        default="data/http_cache.db",
        description="The file of answers that are asked for again only if they have changed.",
    )
    http_cache_megabytes: int = Field(default=1024, description="How large that file may grow.")

    @field_validator("players")
    @classmethod
    def _are_players(cls, players: str) -> str:
        names = list(dict.fromkeys(name.strip().lower() for name in players.split(",")))
        for name in names:
            if not _PLAYER.fullmatch(name):
                raise ValueError(f"{name[:80]!r} in CHESS_PLAYERS is no chess.com user name")
        return ",".join(names)

    @field_validator("api_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if not _ADDRESS.fullmatch(url):
            raise ValueError(f"CHESS_API_URL is {url[:80]!r}, which is no http address")
        return url.rstrip("/")

    def tables(self) -> Sequence[Table]:
        """Return the one table, `games`."""
        return [
            self.table(
                name="games",
                description="One row is one game of one tracked player, from the chess.com archive "
                "of the month. A game between two tracked players is two rows.",
                key=GAME_KEY,
                extractor=self._extractor,
                verify=self._verify,
                subject="player",
            )
        ]

    def checked_subject(self, value: Any) -> str:
        """Return the player's name, if it is one and nobody lands the player any more."""
        name = str(value).strip().lower()
        if not _PLAYER.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is no chess.com user name")
        if name in self.players.split(","):
            raise ValueError(
                f"{name!r} is in CHESS_PLAYERS, and the next run would land the games again: take "
                "the name out of it, where runs get it from, and wait for runs that go on"
            )
        return name

    def kept_answers(self, value: str) -> int:
        """Return how many answers about a player are kept."""
        return self._cache.count(f"/player/{value}/")

    def forget_answers(self, value: str) -> None:
        """Delete those answers."""
        self._cache.forget(f"/player/{value}/")

    @property
    def _cache(self) -> HttpCache:
        return HttpCache(Path(self.http_cache), self.http_cache_megabytes * 2**20)

    def _extractor(self, calls: ApiCalls, _landing: LandingZone) -> Extract:
        is_header = len(self.contact) <= 200 and _CONTACT.fullmatch(self.contact)
        if not is_header or not re.search(r"\S+@\S+|https?://\S+", self.contact):
            raise dg.Failure(
                "CHESS_CONTACT must be an e-mail or web address: chess.com answers 403 without one",
                allow_retries=False,
            )
        headers = {"User-Agent": f"pipelines-project ({self.contact})"}
        session = retrying_session(headers, calls, self._cache)
        return GamesByMonth(PlayerArchives(self.players.split(","), session, calls, self.api_url))

    def _verify(self, new: NewLoad) -> dict[str, Any]:
        """Count the games of each player, and refuse a load that loses most of a player's.

        Raises:
            SourceError: a player has less than half of the games that are landed already, and
                `allow_shrink` is not set.
        """
        with duckdb_session() as connection:
            new.zone.register(connection)
            landing = _games_by_player(connection, new.files)
            place = new.place
            landed = new.zone.files_to_replace(place.source, place.table, place.month)
            before = _games_by_player(connection, landed)
        counts = dict.fromkeys(self.players.split(","), 0) | landing
        for player, games in counts.items():
            if not new.allow_shrink and games < before.get(player, 0) / 2:
                raise SourceError(
                    f"chess.com answers {games} games for {player!r} in {new.place.month}, where "
                    f"{before[player]} are landed. If that is right, land the month with the run "
                    "config allow_shrink: true"
                )
        return {"games_by_player": counts}


def _games_by_player(connection: duckdb.DuckDBPyConnection, files: list[str]) -> dict[str, int]:
    if not files:
        return {}
    query = f"select player, count(*) from {READ_FILES} group by player"
    return dict(connection.execute(query, {"files": files}).fetchall())
