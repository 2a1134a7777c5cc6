"""The short games that made-up games are taken from, and how such a game is written as PGN."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

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


class Play(NamedTuple):
    """A short game as it goes on the board.

    Attributes:
        eco: Its opening's code.
        opening: Its opening's page on chess.com.
        moves: The moves as PGN has them.
        tcn: The moves in chess.com's own notation.
        fen: The position at the end.
        results: The results of white and black that it can have, apart by a space.
        weight: How often it is played, next to the others.
    """

    eco: str
    opening: str
    moves: str
    tcn: str
    fen: str
    results: list[str]
    weight: int = 1

    def pgn(self, game: dict[str, Any]) -> str:
        """The game, which has everything else of an answered one, as PGN."""
        score = "1-0" if game["white"]["result"] == "win" else "1/2-1/2"
        score = "0-1" if game["black"]["result"] == "win" else score
        ended = datetime.fromtimestamp(game["end_time"], UTC)
        return _PGN.format(game=game, play=self, score=score, ended=ended)


# By resignation, on time or by agreement end far more games than on the board.
PLAYS = [
    Play(
        "D37",
        "Queens-Gambit-Declined",
        "1. d4 Nf6 2. c4 e6 3. Nf3 d5 4. Nc3 Be7 5. Bf4 O-O",
        "lB!TkA0SgvZJbs90cD8!",
        "rnbq1rk1/ppp1bppp/4pn2/3p4/2PP1B2/2N2N2/PP2PPPP/R2QKB1R w KQ - 4 6",
        ["win resigned", "resigned win", "win timeout", "agreed agreed", "win abandoned"],
        weight=10,
    ),
    Play(
        "B90",
        "Sicilian-Defense-Najdorf-Variation",
        "1. e4 c5 2. Nf3 d6 3. d4 cxd4 4. Nxd4 Nf6 5. Nc3 a6",
        "mCYIgvZRlBIBvB!TbsWO",
        "rnbqkb1r/1p2pppp/p2p1n2/8/3NP3/2N5/PPP2PPP/R1BQKB1R w KQkq - 0 6",
        ["win resigned", "resigned win", "timeout win", "agreed agreed", "abandoned win"],
        weight=10,
    ),
    Play(
        "C23",
        "Bishops-Opening",
        "1. e4 e5 2. Bc4 Nc6 3. Qh5 Nf6 4. Qxf7#",
        "mC0KfA5QdN!TN1",
        "r1bqkb1r/pppp1Qpp/2n2n2/4p3/2B1P3/8/PPPP1PPP/RNB1K1NR b KQkq - 0 4",
        ["win checkmated"],
        weight=2,
    ),
    Play(
        "A00",
        "Barnes-Opening",
        "1. f3 e5 2. g4 Qh4#",
        "nv0KoE7F",
        "rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3",
        ["checkmated win"],
        weight=2,
    ),
    Play(
        "A05",
        "Reti-Opening",
        "1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8",
        "gv!TvgT!gv!TvgT!",
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 8 5",
        ["repetition repetition"],
    ),
    Play(
        "A00",
        "Van-t-Kruijs-Opening",
        "1. e3 a5 2. Qh5 Ra6 3. Qxa5 h5 4. h4 Rah6 5. Qxc7 f6 6. Qxd7+ Kf7 7. Qxb7 Qd3 8. Qxb8 Qh7 "
        "9. Qxc8 Kg6 10. Qe6",
        "muWGdN4ONG3NpFOVGY1TYZ81ZX7tX5t3561U6S",
        "5bnr/4p1pq/4Qpkr/7p/7P/4P3/PPPP1PP1/RNB1KBNR b KQ - 2 10",
        ["stalemate stalemate"],
    ),
]
