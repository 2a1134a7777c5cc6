"""Games made up for any player and month."""

import hashlib
import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pipelines_project.sandbox.chess_plays import PLAYS, Play

_CONTROLS = {"60": "bullet", "180": "blitz", "180+1": "blitz", "600": "rapid", "1/86400": "daily"}


@dataclass(frozen=True)
class GeneratedArchives:
    """Games made up from player and month: asked again, the same games.

    Attributes:
        games_per_month: So many in every month, the current one included, whose last games
            therefore lie ahead. The last game of a month ends just after it, as can happen.
        first_month: Where every player's list begins; it ends with the current month.
        players: The known players; None knows any name that does not start with `nobody`.
    """

    games_per_month: int = 40
    first_month: str = "2023-01"
    players: Collection[str] | None = None

    def months(self, player: str) -> list[str] | None:
        """Every month from the first to the current one."""
        known = not player.lower().startswith("nobody")
        if self.players is not None:
            known = player.lower() in {name.lower() for name in self.players}
        if not known:
            return None
        if not self.games_per_month:
            return []
        current = f"{datetime.now(UTC):%Y-%m}"
        numbers = range(_number(self.first_month), _number(current) + 1)
        return [_month(number) for number in numbers]

    def games(self, player: str, month: str) -> bytes:
        """The games of the month, by the time of their end."""
        return _generate(player.lower(), month, self.games_per_month)


@lru_cache(maxsize=64)
def _generate(player: str, month: str, count: int) -> bytes:
    # Seeded with a string, which Python hashes alike in every process.
    rng = random.Random(f"{player}/{month}")
    start, end = (int(_start(_month(_number(month) + n)).timestamp()) for n in (0, 1))
    # A player's games have numbers, and so URLs, that never meet those of another month.
    first_id = int(hashlib.sha256(player.encode()).hexdigest()[:5], 16) * 10**11
    first_id += _number(month) * 10**6
    ends = [start + (end - start) * (n + 1) // count + 60 for n in range(count)]
    games = [_game(rng, player, first_id + n, end) for n, end in enumerate(ends)]
    return json.dumps({"games": games}, separators=(",", ":")).encode()


def _game(rng: random.Random, player: str, number: int, end_time: int) -> dict[str, Any]:
    [play] = rng.choices(PLAYS, [play.weight for play in PLAYS])
    control = rng.choice(list(_CONTROLS))
    kind = "daily" if _CONTROLS[control] == "daily" else "live"
    names = [player.capitalize(), f"Guest{rng.randrange(10_000):04d}"]
    rng.shuffle(names)
    white, black = rng.choice(play.results).split()
    game: dict[str, Any] = {
        "url": f"https://www.chess.com/game/{kind}/{number}",
        "pgn": "",
        "time_control": control,
        "end_time": end_time,
        "rated": rng.random() < 0.9,
        "tcn": play.tcn,
        "uuid": str(UUID(int=rng.getrandbits(128), version=1)),
        "initial_setup": "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
        "fen": play.fen,
        "time_class": _CONTROLS[control],
        "rules": "chess",
        "white": _side(rng, names[0], white),
        "black": _side(rng, names[1], black),
    }
    game["pgn"] = play.pgn(game)
    return game | _varying(rng, number % 10**6, game, play)


def _side(rng: random.Random, username: str, result: str) -> dict[str, Any]:
    url = f"https://api.chess.com/pub/player/{username.lower()}"
    identity = uuid5(NAMESPACE_URL, url)
    return {
        "rating": 1000 + identity.int % 1500 + rng.randrange(100),
        "result": result,
        "@id": url,
        "username": username,
        "uuid": str(identity),
    }


def _varying(rng: random.Random, n: int, game: dict[str, Any], play: Play) -> dict[str, Any]:
    """What only some games have, or have otherwise: by turns, so that few games show it all."""
    fields: dict[str, Any] = {}
    if n % 13 == 12:
        fields |= {"rules": "kingofthehill"}
    else:
        if n % 5 != 4:
            accuracies = [rng.uniform(40, 100), rng.uniform(40, 100)]
            # Whole numbers come without a point, and may be the first that a reader sees.
            white = round(accuracies[0]) if n % 4 == 0 else accuracies[0]
            fields["accuracies"] = {"white": white, "black": accuracies[1]}
        if n % 3 != 2:
            fields["eco"] = f"https://www.chess.com/openings/{play.opening}"
    if n % 11 == 10:
        fields["tcn"] = ""
    if n % 10 == 3:
        fields["tournament"] = "https://api.chess.com/pub/tournament/sandbox-arena"
    if n % 20 == 7:
        fields["match"] = "https://api.chess.com/pub/match/1"
    if game["time_class"] == "daily":
        fields["start_time"] = game["end_time"] - rng.randrange(3_600, 30 * 86_400)
    return fields


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02d}"


def _start(month: str) -> datetime:
    return datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
