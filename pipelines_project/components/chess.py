"""The chess.com source as a component: its settings, and when a month must not be replaced."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

from pipelines_project.components import monthly_source
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.shrink_guard import ALLOW, is_shrunk, refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.chess.archives import API_URL, PlayerArchives
from pipelines_project.sources.chess.column_descriptions import COLUMN_DESCRIPTIONS
from pipelines_project.sources.chess.columns import documented_columns
from pipelines_project.sources.chess.games import GAME_KEY, GamesByMonth, games_by_player
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.session import retrying_session
from pipelines_project.table import Extract, Table

_ADDRESS = re.compile(r"https?://([\w.-]+|\[[0-9a-f:]+\])(:[1-6]?[0-9]{1,4})?(/[\w./-]*)?", re.A)
# What a header can hold: one line in Latin letters.
_CONTACT = re.compile(r"[!-~]+( [!-~]+)*")
_PLAYER = re.compile(r"[a-z0-9_-]{1,50}")


class ChessSource(monthly_source.MonthlySource):
    """The monthly archives of chess.com players, asked one request at a time."""

    subject_name: ClassVar[str] = "player"

    source: str = Field(default="chess", description="The name of the source.")
    players: str = Field(description="The chess.com user names to track, separated by commas.")
    contact: str = Field(
        description="An e-mail or web address for the User-Agent: chess.com answers 403 without."
    )
    api_url: str = Field(default=API_URL, description="The address of the API.")

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

    def monthly_tables(self) -> Sequence[Table]:
        """Return the one table, `games`."""
        return [
            self.table(
                TableSettings(
                    name="games",
                    description="One row is one game of one tracked player, from the chess.com "
                    "archive of the month. A game between two tracked players is two rows.",
                    key=list(GAME_KEY),
                    subject="player",
                    column_descriptions=COLUMN_DESCRIPTIONS,
                ),
                self._extractor,
                verify=self._verify,
                columns=documented_columns(),
            )
        ]

    def checked_subject(self, value: Any) -> str:
        """Return the player's name, if it is one."""
        name = str(value).strip().lower()
        if not _PLAYER.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is no chess.com user name")
        return name

    def why_subject_comes_again(self, subject: str) -> str:
        """Return what to do about a player whom the next run lands again."""
        if subject not in self.players.split(","):
            return ""
        return (
            f"{subject!r} is in CHESS_PLAYERS, and the next run would land the games again: take "
            "the name out of it, where runs get it from, and wait for runs that go on"
        )

    def _extractor(self, calls: ApiCalls, _landing: LandingZone) -> Extract:
        is_header = len(self.contact) <= 200 and _CONTACT.fullmatch(self.contact)
        if not is_header or not re.search(r"\S+@\S+|https?://\S+", self.contact):
            raise SourceError(
                "CHESS_CONTACT must be an e-mail or web address: chess.com answers 403 without one"
            )
        headers = {"User-Agent": f"pipelines-project ({self.contact})"}
        session = retrying_session(headers, calls)
        return GamesByMonth(PlayerArchives(self.players.split(","), session, calls, self.api_url))

    def _verify(self, new: NewLoad) -> Details:
        """Count the games of each player, and refuse a load that loses most of a player's.

        Raises:
            LandingError: a player has less than half of the games that are landed already, and
                `allow_shrink` is not set.
        """
        counts = dict.fromkeys(self.players.split(","), 0) | games_by_player(new.facts)
        before = games_by_player(new.before.facts)
        if new.before.load_id and not before:
            refuse_shrink(new)
        for player, games in counts.items():
            if is_shrunk(games, before.get(player, 0)) and not new.allow_shrink:
                raise LandingError(
                    f"chess.com answers {games} games for {player!r} in {new.month.month}, where "
                    f"{before[player]} are landed. {ALLOW}"
                )
        return {"games_by_player": counts}
