"""A chess.com PubAPI on this machine: how it answers, and the games it has."""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.sandbox.server import Faults, FaultsMiddleware

_CONTACT = re.compile(r"[^\s@]@[^\s@]|https?://\S")
_PLAYER = re.compile(r"[a-z0-9_-]{1,50}")
_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")


class Archives(Protocol):
    """The games of all players; names come in small letters, months as `YYYY-MM`."""

    def months(self, player: str) -> list[str] | None:
        """The months with games, oldest first; None if there is no such player."""
        ...

    def games(self, player: str, month: str) -> bytes:
        """The JSON answer for one of these months."""
        ...


def chess_app(
    archives: Archives, *, faults: Faults | None = None, validators: bool = True
) -> Starlette:
    """Answer as chess.com does, below `/pub`.

    Args:
        archives: Where the games come from.
        faults: Wrong answers on demand and the log of requests, for tests.
        validators: Whether to send ETag, Last-Modified and Cache-Control, and answer 304.
    """
    api = _Api(archives, validators)
    games = "/pub/player/{player}/games"
    return Starlette(
        routes=[
            Route(f"{games}/archives", api.month_list),
            Route(f"{games}/{{year}}/{{month}}", api.month),
        ],
        middleware=[Middleware(FaultsMiddleware, faults=faults or Faults())],
        exception_handlers={HTTPException: _error},
    )


@dataclass(frozen=True)
class _Api:
    archives: Archives
    validators: bool

    def month_list(self, request: Request) -> Response:
        player, months = self._player(request)
        players = str(request.url.replace(query="")).rsplit("/", 3)[0]
        urls = [f"{players}/{player}/games/{month.replace('-', '/')}" for month in months]
        body = json.dumps({"archives": urls}).encode()
        return self._answer(request, body, max(months, default="1970-01"))

    def month(self, request: Request) -> Response:
        player, months = self._player(request)
        month = "{year}-{month}".format(**request.path_params)
        if not _MONTH.fullmatch(month):
            raise HTTPException(404, f'Data provider not found for key "{request.url.path}".')
        body = self.archives.games(player, month) if month in months else b'{"games":[]}'
        return self._answer(request, body, month)

    def _player(self, request: Request) -> tuple[str, list[str]]:
        if not _CONTACT.search(request.headers.get("User-Agent", "")):
            raise HTTPException(403, "The User-Agent has no e-mail address or URL to contact.")
        player = request.path_params["player"].lower()
        months = self.archives.months(player) if _PLAYER.fullmatch(player) else None
        if months is None:
            raise HTTPException(404, f'User "{player}" not found.')
        return player, months

    def _answer(self, request: Request, body: bytes, changed: str) -> Response:
        if not self.validators:
            return Response(body, media_type="application/json")
        digest = hashlib.sha256(body).hexdigest()[:32]
        headers = {
            "ETag": f'W/"{digest}"',
            "Last-Modified": format_datetime(_start(changed), usegmt=True),
            "Cache-Control": "public, max-age=43200",
        }
        if digest in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)


def _error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {"code": 0, "message": error.detail}
    return JSONResponse(body, error.status_code, headers=error.headers)


@dataclass(frozen=True)
class RecordedArchives:
    """Answers kept in a folder, as `<player>/<YYYY-MM>.json.gz`."""

    folder: Path

    def months(self, player: str) -> list[str] | None:
        """The months that were kept."""
        folder = self._folder(player)
        return sorted(file.name[:7] for file in folder.glob("*.json.gz")) if folder else None

    def games(self, player: str, month: str) -> bytes:
        """The answer as it was given."""
        folder = self._folder(player) or self.folder / player
        return gzip.decompress((folder / f"{month}.json.gz").read_bytes())

    def _folder(self, player: str) -> Path | None:
        folders = (each for each in self.folder.iterdir() if each.name.lower() == player.lower())
        return next(folders, None)


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


class _Play(NamedTuple):
    """A short game as it goes on the board, and the results of white and black it can have."""

    eco: str
    opening: str
    moves: str
    tcn: str
    fen: str
    results: list[str]


_PLAYS = [
    _Play(
        "D37",
        "Queens-Gambit-Declined",
        "1. d4 Nf6 2. c4 e6 3. Nf3 d5 4. Nc3 Be7 5. Bf4 O-O",
        "lB!TkA0SgvZJbs90cD8!",
        "rnbq1rk1/ppp1bppp/4pn2/3p4/2PP1B2/2N2N2/PP2PPPP/R2QKB1R w KQ - 4 6",
        ["win resigned", "resigned win", "win timeout", "agreed agreed", "win abandoned"],
    ),
    _Play(
        "B90",
        "Sicilian-Defense-Najdorf-Variation",
        "1. e4 c5 2. Nf3 d6 3. d4 cxd4 4. Nxd4 Nf6 5. Nc3 a6",
        "mCYIgvZRlBIBvB!TbsWO",
        "rnbqkb1r/1p2pppp/p2p1n2/8/3NP3/2N5/PPP2PPP/R1BQKB1R w KQkq - 0 6",
        ["win resigned", "resigned win", "timeout win", "agreed agreed", "abandoned win"],
    ),
    _Play(
        "C23",
        "Bishops-Opening",
        "1. e4 e5 2. Bc4 Nc6 3. Qh5 Nf6 4. Qxf7#",
        "mC0KfA5QdN!TN1",
        "r1bqkb1r/pppp1Qpp/2n2n2/4p3/2B1P3/8/PPPP1PPP/RNB1K1NR b KQkq - 0 4",
        ["win checkmated"],
    ),
    _Play(
        "A00",
        "Barnes-Opening",
        "1. f3 e5 2. g4 Qh4#",
        "nv0KoE7F",
        "rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3",
        ["checkmated win"],
    ),
    _Play(
        "A05",
        "Reti-Opening",
        "1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8",
        "gv!TvgT!gv!TvgT!",
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 8 5",
        ["repetition repetition"],
    ),
    _Play(
        "A00",
        "Van-t-Kruijs-Opening",
        "1. e3 a5 2. Qh5 Ra6 3. Qxa5 h5 4. h4 Rah6 5. Qxc7 f6 6. Qxd7+ Kf7 7. Qxb7 Qd3 8. Qxb8 Qh7 "
        "9. Qxc8 Kg6 10. Qe6",
        "muWGdN4ONG3NpFOVGY1TYZ81ZX7tX5t3561U6S",
        "5bnr/4p1pq/4Qpkr/7p/7P/4P3/PPPP1PP1/RNB1KBNR b KQ - 2 10",
        ["stalemate stalemate"],
    ),
]
# By resignation, on time or by agreement end far more games than on the board.
_WEIGHTS = [10, 10, 2, 2, 1, 1]
_CONTROLS = {"60": "bullet", "180": "blitz", "180+1": "blitz", "600": "rapid", "1/86400": "daily"}
_PGN = """[Event "Live Chess"]
[Site "Chess.com"]
[Date "{ended:%Y.%m.%d}"]
[Round "-"]
[White "{game[white][username]}"]
[Black "{game[black][username]}"]
[Result "{score}"]
[ECO "{play.eco}"]
[ECOUrl "https://www.chess.com/openings/{play.opening}"]
[WhiteElo "{game[white][rating]}"]
[BlackElo "{game[black][rating]}"]
[TimeControl "{game[time_control]}"]
[EndDate "{ended:%Y.%m.%d}"]
[EndTime "{ended:%H:%M:%S}"]
[Link "{game[url]}"]

{play.moves} {score}
"""


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
    [play] = rng.choices(_PLAYS, _WEIGHTS)
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
    game["pgn"] = _pgn(game, play)
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


def _pgn(game: dict[str, Any], play: _Play) -> str:
    score = "1-0" if game["white"]["result"] == "win" else "1/2-1/2"
    score = "0-1" if game["black"]["result"] == "win" else score
    ended = datetime.fromtimestamp(game["end_time"], UTC)
    return _PGN.format(game=game, play=play, score=score, ended=ended)


def _varying(rng: random.Random, n: int, game: dict[str, Any], play: _Play) -> dict[str, Any]:
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
