"""How the archives of chess.com's Published-Data API are asked for, and what answers mean.

The archive list decides what an absence means. A month that is not listed has no games. A month
that is listed must be answered with a list of games: anything else is an error, because an empty
answer would otherwise replace games that were landed before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import requests

from pipelines_project.sources.chess.kept_answers import KeptAnswers
from pipelines_project.sources.fetch import NotModifiedError
from pipelines_project.sources.http.answers import parsed_object
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError

API_URL = "https://api.chess.com/pub"


class PlayerArchives:
    """The archives of some players, asked one request at a time; made once for a run."""

    def __init__(
        self, players: Sequence[str], session: requests.Session, calls: ApiCalls, api_url: str
    ) -> None:
        """Ask nothing yet.

        Args:
            players: chess.com user names, in lower case.
            session: the HTTP session, which brings retries and the contact in its User-Agent.
            calls: counts the requests.
            api_url: the address of the API, without a slash at its end.
        """
        self.players = tuple(players)
        self._session = session
        self._calls = calls
        self._url = api_url
        self._lists: dict[str, tuple[str, ...]] = {}

    def month(self, month: str, etags: Mapping[str, str] | None = None) -> KeptAnswers:
        """Return the answers for one month, `YYYY-MM`, one for each player who has it listed.

        Args:
            month: the month.
            etags: those of the answers that are known already, by address; None if none are.

        Raises:
            NotModifiedError: the answers would be the known ones.
            SourceError: for an unknown or closed player, and for a month that is listed but not
                answered with games.
            requests.RequestException: there was no whole answer.
        """
        urls = dict(self._urls(month))
        is_comparable = etags is not None and {*etags} == {*urls.values()}
        known = dict(etags or {}) if is_comparable else dict[str, str]()
        answers = KeptAnswers()
        same = [
            player
            for player, url in urls.items()
            if not self._keep(answers, player, url, month, known.get(url))
        ]
        if is_comparable and len(same) == len(urls):
            raise NotModifiedError
        for player in same:
            self._keep(answers, player, urls[player], month)
        return answers

    def _urls(self, month: str) -> Iterator[tuple[str, str]]:
        """Yield the players who have the month listed, with the address of its archive."""
        path = f"games/{month.replace('-', '/')}"
        for player in self.players:
            if any(archive.endswith(f"/{path}") for archive in self._listed(player)):
                yield player, f"{self._url}/player/{player}/{path}"

    def _keep(
        self, answers: KeptAnswers, player: str, url: str, month: str, etag: str | None = None
    ) -> bool:
        """Ask for a month's archive and keep the answer; False if it still has the ETag."""
        headers = {"If-None-Match": etag} if etag else {}
        response = self._ask(url, _MONTH_REFUSALS, headers)
        if response.status_code == requests.codes.not_modified:
            if not etag:
                raise SourceError(f"chess.com answered {url} with 304, which was not asked for")
            return False
        _check_games(response, player, month)
        answers.keep(player, url, response)
        return True

    def _listed(self, player: str) -> tuple[str, ...]:
        """Return the player's archive list, which is asked for once in a run."""
        if player not in self._lists:
            response = self._ask(f"{self._url}/player/{player}/games/archives", _LIST_REFUSALS)
            archives: list[Any] | None = parsed_object(response).get("archives")
            if not isinstance(archives, list) or not all(isinstance(a, str) for a in archives):
                raise SourceError(
                    f"chess.com answered the archive list of {player!r} without archives"
                )
            self._lists[player] = tuple(archives)
        return self._lists[player]

    def _ask(
        self,
        url: str,
        refusals: dict[int, Callable[[requests.Response], str]],
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        response = self._session.get(url, headers=headers)
        self._calls.checked(refusals)(response)
        return response


def _check_games(response: requests.Response, player: str, month: str) -> None:
    answered: list[Any] | None = parsed_object(response).get("games")
    if not isinstance(answered, list) or not all(map(_has_url, answered)):
        raise SourceError(
            f"chess.com answered {month} of {player!r} without a list of games that have a url"
        )


def _has_url(game: Any) -> bool:
    return isinstance(game, dict) and isinstance(cast(dict[str, Any], game).get("url"), str)


def _player_of(response: requests.Response) -> str:
    return response.url.partition("/player/")[2].partition("/")[0]


def _month_of(response: requests.Response) -> str:
    return "-".join(response.url.rstrip("/").split("/")[-2:])


_REFUSALS: dict[int, Callable[[requests.Response], str]] = {
    403: lambda r: f"chess.com refused {_player_of(r)!r}: it wants a contact, set CHESS_CONTACT",
    410: lambda r: f"chess.com has closed {_player_of(r)!r}: take it off CHESS_PLAYERS",
}
_LIST_REFUSALS: dict[int, Callable[[requests.Response], str]] = {
    **_REFUSALS,
    404: lambda r: f"chess.com knows no player {_player_of(r)!r}: correct CHESS_PLAYERS",
}
_MONTH_REFUSALS: dict[int, Callable[[requests.Response], str]] = {
    **_REFUSALS,
    404: lambda r: f"chess.com lists {_month_of(r)} of {_player_of(r)!r} but answers 404 for it",
}
