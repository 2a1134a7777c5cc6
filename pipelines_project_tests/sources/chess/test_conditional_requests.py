"""A month is asked for by the ETags that its current load's record holds; any doubt lands it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.chess.archives import PlayerArchives
from pipelines_project.sources.chess.games import GamesByMonth, games_by_player
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.session import retrying_session

_MONTH, _EARLIER = "2024-02", "2023-12"
_ERIK, _HIKARU = "erik/games/2024/02", "hikaru/games/2024/02"
_GAMES = 10


class _Chess:
    """A chess.com that gives ETags, whose months land one run at a time."""

    def __init__(self, url: str, faults: Faults, landing: LandingZone) -> None:
        self._url, self.faults, self._landing = url, faults, landing

    def month(self, month: str = _MONTH) -> LandedMonth:
        return self._landing.month("chess", "games", month)

    def land(self, *players: str, month: str = _MONTH, land_unchanged: bool = False) -> Landed:
        """Land the month, as a new run does, having forgotten what was asked before."""
        self.faults.requests.clear()
        calls = ApiCalls()
        session = retrying_session({"User-Agent": "tests (me@example.com)"}, calls)
        archives = PlayerArchives(players or ("erik", "hikaru"), session, calls, self._url)
        extract = GamesByMonth(archives)
        return land_month(self.month(month), extract, accept, land_unchanged=land_unchanged)

    def asked_with(self, path: str) -> list[str | None]:
        """Return the ETag of each request for a path."""
        return [asked.headers.get("if-none-match") for asked in self.faults.asked(path)]

    def etag(self, path: str) -> str:
        """Return the ETag that the current load's record holds for a path."""
        load = self.month().current_files()
        assert load
        [etag] = [etag for url, etag in load.record.fetched.items() if url.endswith(path)]
        return etag


@pytest.fixture
def chess(landing: LandingZone) -> Iterator[_Chess]:
    faults = Faults()
    archives = GeneratedArchives(games_per_month=_GAMES, first_month="2024-01")
    with serving(chess_app(archives, faults=faults)) as url:
        yield _Chess(f"{url}/pub", faults, landing)


def _answer(games: int, etag: str | None = '"new"') -> Response:
    rows: list[dict[str, Any]] = [
        {"url": f"https://www.chess.com/game/live/{number}", "end_time": 1_706_800_000}
        for number in range(games)
    ]
    return JSONResponse({"games": rows}, headers={"ETag": etag} if etag is not None else {})


def test_the_first_time_nothing_is_known_and_the_etags_are_recorded(chess: _Chess) -> None:
    landed = chess.land()

    assert (landed.not_modified, landed.rows) == (False, 2 * _GAMES)
    assert chess.asked_with(_ERIK) == chess.asked_with(_HIKARU) == [None]
    assert chess.etag(_ERIK).startswith('W/"')


def test_when_every_answer_still_holds_the_load_stays_for_one_request_a_player(
    chess: _Chess,
) -> None:
    first = chess.land()

    again = chess.land()

    assert (again.not_modified, again.load_id, again.rows) == (True, first.load_id, first.rows)
    assert chess.month().listing().committed == [first.load_id]
    assert chess.asked_with(_ERIK) == [chess.etag(_ERIK)]
    assert chess.asked_with(_HIKARU) == [chess.etag(_HIKARU)]


def test_when_one_answer_is_new_the_others_are_fetched_again_and_the_whole_month_lands(
    chess: _Chess,
) -> None:
    first = chess.land()
    known = chess.etag(_HIKARU)
    chess.faults.answer_always(_ERIK, _answer(30))

    landed = chess.land()

    assert (landed.not_modified, landed.rows) == (False, _GAMES + 30)
    assert landed.load_id != first.load_id
    assert chess.asked_with(_HIKARU) == [known, None]
    load = chess.month().current_files()
    assert load
    assert games_by_player(load.record.fetched) == {"erik": 30, "hikaru": _GAMES}
    assert chess.etag(_ERIK) == '"new"'


@pytest.mark.stack
@pytest.mark.parametrize("etag", [None, ""])
def test_an_answer_without_an_etag_is_landed_each_time(chess: _Chess, etag: str | None) -> None:
    chess.faults.answer_always(_ERIK, _answer(_GAMES, etag))

    for _ in range(2):
        assert not chess.land().not_modified
        assert chess.asked_with(_ERIK) == chess.asked_with(_HIKARU) == [None]


@pytest.mark.stack
@pytest.mark.parametrize("players", [("erik",), ("erik", "hikaru", "magnus")])
def test_for_other_players_the_whole_month_is_fetched(
    chess: _Chess, players: tuple[str, ...]
) -> None:
    chess.land("erik", "hikaru")

    landed = chess.land(*players)

    assert (landed.not_modified, landed.rows) == (False, len(players) * _GAMES)
    assert chess.asked_with(_ERIK) == [None]
    assert chess.land(*players).not_modified


@pytest.mark.stack
def test_for_other_columns_the_whole_month_is_fetched(
    chess: _Chess, monkeypatch: pytest.MonkeyPatch
) -> None:
    chess.land()
    monkeypatch.setattr("pipelines_project.sources.chess.games._SCHEMA_VERSION", "another")

    assert not chess.land().not_modified
    assert chess.asked_with(_ERIK) == [None]


def test_a_month_without_games_stays_empty_for_no_request_but_those_for_the_lists(
    chess: _Chess,
) -> None:
    first = chess.land(month=_EARLIER)
    assert (first.not_modified, first.rows) == (False, 0)

    again = chess.land(month=_EARLIER)

    assert (again.not_modified, again.load_id) == (True, first.load_id)
    assert {asked.path.rsplit("/", 1)[-1] for asked in chess.faults.requests} == {"archives"}
    record = Path(chess.month(_EARLIER).record_path(first.load_id)).read_text()
    assert not any(player in record for player in ("erik", "hikaru"))


@pytest.mark.stack
def test_a_month_that_gets_listed_later_is_fetched(chess: _Chess) -> None:
    chess.faults.answer_next("hikaru/games/archives", JSONResponse({"archives": []}))
    assert chess.land().rows == _GAMES

    landed = chess.land()

    assert (landed.not_modified, landed.rows) == (False, 2 * _GAMES)


@pytest.mark.stack
def test_what_is_landed_in_any_case_is_asked_for_without_etags(chess: _Chess) -> None:
    first = chess.land()

    landed = chess.land(land_unchanged=True)

    assert (landed.not_modified, landed.rows) == (False, 2 * _GAMES)
    assert landed.load_id != first.load_id
    assert chess.asked_with(_ERIK) == [None]


@pytest.mark.stack
@pytest.mark.parametrize("of", ["data", "record"])
def test_a_damaged_load_is_fetched_again(chess: _Chess, of: str) -> None:
    first = chess.land()
    files = chess.month().files_of_load(first.load_id)
    path = Path(files[0] if of == "record" else files[-1])
    path.write_bytes(path.read_bytes()[:-1])

    landed = chess.land()

    assert (landed.not_modified, landed.rows) == (False, 2 * _GAMES)
    assert str(path) in landed.replaced_damaged
    assert chess.asked_with(_ERIK) == [None]
    assert chess.land().not_modified


def test_an_answer_that_says_it_still_holds_although_nobody_asked_is_an_error(
    chess: _Chess,
) -> None:
    chess.faults.answer_always(_ERIK, Response(status_code=304))

    with pytest.raises(Exception, match="304") as error:
        chess.land()

    assert isinstance(root_cause(error.value), SourceError)
    assert chess.month().current_load() is None
