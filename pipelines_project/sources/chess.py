"""chess.com monthly archives, from the Published-Data API, as one dlt resource of games.

Data flow:
    players ─▶ /player/{p}/games/archives ─▶ is the month listed? ─▶ /player/{p}/games/{YYYY}/{MM}

The archive list decides what an absence means. A month that is not listed has no games. A month
that is listed must be answered with a list of games: anything else is an error, because an empty
answer would otherwise replace games that were landed before.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import dlt
import requests
from dlt.common.schema.typing import TColumnSchema
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_resources

from pipelines_project.sources.api_calls import ApiCalls, SourceError

API_URL = "https://api.chess.com/pub"
GAME_KEY = ("player", "url")

TYPES = {
    "player": "text",
    "url": "text",
    "uuid": "text",
    "pgn": "text",
    "tcn": "text",
    "fen": "text",
    "initial_setup": "text",
    "time_control": "text",
    "time_class": "text",
    "rules": "text",
    "rated": "bool",
    "start_time": "timestamp",
    "end_time": "timestamp",
    "eco": "text",
    "tournament": "text",
    "match": "text",
    "accuracies__white": "double",
    "accuracies__black": "double",
}
SIDE_TYPES = {"username": "text", "uuid": "text", "aid": "text", "result": "text"}


def game_columns() -> dict[str, TColumnSchema]:
    """Return every column that chess.com documents, with its dlt type; only the key is required.

    `@id` of a side becomes `aid`, which is how dlt normalises the name.
    """
    sides = {f"{side}__{name}": t for side in ("white", "black") for name, t in SIDE_TYPES.items()}
    ratings = {f"{side}__rating": "bigint" for side in ("white", "black")}
    return {
        name: {"data_type": data_type, "nullable": name not in GAME_KEY}  # type: ignore[typeddict-item]
        for name, data_type in {**TYPES, **sides, **ratings}.items()
    }


def games(
    players: Sequence[str], month: str, session: requests.Session, calls: ApiCalls, api_url: str
) -> DltResource:
    """Return the games that the players finished in one month, one row a game and player.

    Args:
        players: chess.com user names, in lower case.
        month: the archive month, `YYYY-MM`; a game's own `end_time` may lie in the next one.
        session: the HTTP session, which brings retries and the contact in its User-Agent.
        calls: counts the requests.
        api_url: the address of the API, without a slash at its end.

    Raises:
        SourceError: while it is read, for an unknown or closed player, and for a month that is
            listed but not answered with games.
    """
    resources = rest_api_resources(
        {
            "client": {"base_url": api_url, "session": session, "paginator": "single_page"},
            "resources": [
                dlt.resource([[{"player": p} for p in players]], name="players", selected=False),
                {
                    "name": "archives",
                    "selected": False,
                    "include_from_parent": ["player"],
                    "endpoint": {
                        "path": "player/{resources.players.player}/games/archives",
                        "data_selector": "$",
                        "response_actions": [calls.checked(_LIST_REFUSALS), _check_object],
                    },
                    "processing_steps": [{"yield_map": partial(_listed, month)}],
                },
                {
                    "name": "games",
                    "include_from_parent": ["player"],
                    "endpoint": {
                        "path": "player/{resources.archives.player}/{resources.archives.path}",
                        "data_selector": "$",
                        "response_actions": [calls.checked(_MONTH_REFUSALS), _check_object],
                    },
                    "processing_steps": [{"yield_map": partial(_games_once, month)}],
                    "columns": game_columns(),
                    "primary_key": list(GAME_KEY),
                },
            ],
        }
    )
    return next(resource for resource in resources if resource.name == "games")


def _listed(month: str, answer: dict[str, Any]) -> Iterator[list[dict[str, str]]]:
    """Yield a page with the month's path if the player's archive list has it, else nothing."""
    player, archives = answer["_players_player"], answer.get("archives")
    if not isinstance(archives, list) or not all(isinstance(each, str) for each in archives):
        raise SourceError(f"chess.com answered the archive list of {player!r} without archives")
    path = f"games/{month.replace('-', '/')}"
    if any(archive.endswith(f"/{path}") for archive in archives):
        yield [{"player": player, "path": path}]


def _games_once(month: str, answer: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the answer's games as one page, each URL once, with the tracked player's name."""
    player, answered = answer["_archives_player"], answer.get("games")
    if not isinstance(answered, list) or not all(_has_url(game) for game in answered):
        raise SourceError(
            f"chess.com answered {month} of {player!r} without a list of games that have a url"
        )
    yield list({game["url"]: {**game, "player": player} for game in answered}.values())


def _has_url(game: Any) -> bool:
    return isinstance(game, dict) and isinstance(game.get("url"), str)


def _check_object(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
    """Refuse an answer that is JSON but no object: dlt takes a list or null for no rows."""
    if not response.is_redirect and not isinstance(response.json(), dict):
        raise SourceError(f"chess.com answered {response.url} with {response.text[:80]!r}")


def _player_of(response: requests.Response) -> str:
    return response.url.partition("/player/")[2].partition("/")[0]


def _month_of(response: requests.Response) -> str:
    return "-".join(response.url.rstrip("/").split("/")[-2:])


_REFUSALS: dict[int, Callable[[requests.Response], str]] = {
    403: lambda r: f"chess.com refused {_player_of(r)!r}: it wants a contact, set CHESS_CONTACT",
    410: lambda r: f"chess.com has closed {_player_of(r)!r}: take it off CHESS_PLAYERS",
}
_LIST_REFUSALS = {
    **_REFUSALS,
    404: lambda r: f"chess.com knows no player {_player_of(r)!r}: correct CHESS_PLAYERS",
}
_MONTH_REFUSALS = {
    **_REFUSALS,
    404: lambda r: f"chess.com lists {_month_of(r)} of {_player_of(r)!r} but answers 404 for it",
}
