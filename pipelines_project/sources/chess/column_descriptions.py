"""What the columns of a game are (chess.com Published-Data API, "Complete Monthly Archives")."""

_SIDE = {
    "aid": "the address of the {side} player's profile in the API",
    "username": "the {side} player's name, as the player writes it",
    "uuid": "the {side} player's id, which stays when the name changes",
    "rating": "the {side} player's rating after the game",
    "result": "how the game ended for {side}: win, or a code such as resigned, timeout, agreed",
}

COLUMN_DESCRIPTIONS = {
    "player": "the tracked player whose archive has the game, in lower case",
    "url": "the address of the game on chess.com, which tells games apart",
    "uuid": "the id of the game",
    "pgn": "the moves and headers of the game as PGN, with clock times",
    "tcn": "the moves in chess.com's own short notation",
    "fen": "the position at the end, as FEN",
    "initial_setup": "the position at the start, as FEN",
    "time_control": "the time control as PGN writes it: 600, 180+2, or 1/86400 for daily games",
    "time_class": "bullet, blitz, rapid or daily",
    "rules": "the variant: chess, chess960, bughouse, kingofthehill, threecheck, crazyhouse …",
    "eco": "the address of the opening's page, whose last part is its name",
    "tournament": "the address of the tournament in the API, if the game was part of one",
    "match": "the address of the team match in the API, if the game was part of one",
    "start_time": "when the game began; daily games only",
    "end_time": "when the game ended, which decides its month",
    "rated": "whether the game counted for ratings",
    "accuracies__white": "the accuracy of white's moves, 0 to 100, where it was calculated",
    "accuracies__black": "the accuracy of black's moves, 0 to 100, where it was calculated",
    **{
        f"{side}__{name}": text.format(side=side)
        for side in ("white", "black")
        for name, text in _SIDE.items()
    },
}
"""The description of each documented column, by its name."""
