"""The chess.com source: recorded answers become typed rows, and no accident becomes an absence."""

import asyncio
import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pytest
import requests
from dlt.extract.exceptions import ResourceExtractionError
from dlt.pipeline.exceptions import PipelineStepFailed
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_archives import Archives, RecordedArchives
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults, broken_off, half
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.chess.archives import PlayerArchives
from pipelines_project.sources.chess.games import GamesByMonth
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.session import retrying_session

_MONTH = "2024-02"
_LIST = "erik/games/archives"
_GAMES = "erik/games/2024/02"


class Api:
    """A chess.com that is being served, and what was asked of it."""

    def __init__(self, url: str, faults: Faults) -> None:
        self.url = url
        self.faults = faults
        self.calls = ApiCalls()
        self.fetch = Fetch()

    def resource(self, players: Sequence[str], month: str) -> dlt.sources.DltResource:
        session = retrying_session({"User-Agent": "tests (me@example.com)"}, self.calls)
        archives = PlayerArchives(players, session, self.calls, self.url)
        return GamesByMonth(archives)(month, self.fetch)

    def rows(self, *players: str, month: str = _MONTH) -> list[dict[str, Any]]:
        tables: list[pa.Table] = list(self.resource(players, month))
        return [row for table in tables for row in table.to_pylist()]

    def landed(self, landing: LandingZone, *players: str, month: str = _MONTH) -> pa.Table:
        """Land the month, and return its parquet rows."""
        place = landing.month("chess", "games", month)
        land_month(place, lambda month, _: self.resource(players, month), accept)
        load = place.current_files()
        assert load
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.read_parquet(load.files, hive_partitioning=False).to_arrow_table()


@contextmanager
def _serving(archives: Archives) -> Iterator[tuple[str, Faults]]:
    faults = Faults()
    with serving(chess_app(archives, faults=faults)) as url:
        yield f"{url}/pub", faults


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Faults]]:
    with _serving(GeneratedArchives(games_per_month=30, first_month="2024-01")) as served:
        yield served


@pytest.fixture
def api(served: tuple[str, Faults]) -> Api:
    url, faults = served
    faults.clear()
    faults.requests.clear()
    return Api(url, faults)


@pytest.fixture
def recorded_api(recorded_data: Path) -> Iterator[Api]:
    with _serving(RecordedArchives(recorded_data / "chess")) as served:
        yield Api(*served)


def _recorded(data: Path, player: str, month: str) -> list[dict[str, Any]]:
    body = gzip.decompress((data / "chess" / player / f"{month}.json.gz").read_bytes())
    return json.loads(body)["games"]


def _flat(game: dict[str, Any]) -> dict[str, Any]:
    """Return a game as the landing zone has it: `a__b` for nested fields, `aid` for `@id`."""
    row = {name: value for name, value in game.items() if not isinstance(value, dict)}
    for outer, inner in game.items():
        if isinstance(inner, dict):
            row |= {f"{outer}__{name.replace('@', 'a')}": value for name, value in inner.items()}
    for name in {"start_time", "end_time"} & row.keys():
        row[name] = datetime.fromtimestamp(row[name], UTC)
    return row


def _game(number: int, **fields: Any) -> dict[str, Any]:
    url = f"https://www.chess.com/game/live/{number}"
    return {"url": url, "end_time": 1_706_800_000, "rules": "chess", **fields}


def _answer(*games: Any) -> Response:
    return JSONResponse({"games": list(games)})


@pytest.mark.stack
@pytest.mark.parametrize(("player", "month"), [("hikaru", "2021-11"), ("erik", "2009-10")])
def test_every_field_of_every_recorded_game_lands(
    recorded_api: Api, recorded_data: Path, landing: LandingZone, player: str, month: str
) -> None:
    games = [_flat(game) for game in _recorded(recorded_data, player, month)]

    landed = recorded_api.landed(landing, player, month=month).to_pylist()

    rows = {row["url"]: row for row in landed}
    assert len(landed) == len(rows) == len(games)
    for game in games:
        row = rows[game["url"]]
        assert {name: row[name] for name in game} == game
        absent = {name for name, value in row.items() if value is None}
        assert row.keys() - game.keys() - absent == {"player", "_dlt_load_id", "_dlt_id"}
        assert row["player"] == player


def test_documented_columns_have_their_types_whatever_the_month_holds(
    recorded_api: Api, landing: LandingZone
) -> None:
    old = recorded_api.landed(landing, "erik", month="2009-10").schema
    new = recorded_api.landed(landing, "hikaru", month="2021-01").schema

    assert set(old.names) == set(new.names)
    for schema in (old, new):
        types = {field.name: str(field.type) for field in schema}
        assert types["rated"] == "bool"
        for name in ("accuracies__white", "accuracies__black"):
            assert types[name] == "double"
        for name in ("start_time", "end_time"):
            assert types[name] == "timestamp[us, tz=UTC]"
        for side in ("white", "black"):
            assert types[f"{side}__rating"] == "int64"
        texts = {name for name, kind in types.items() if kind in ("string", "large_string")}
        assert {"tournament", "match", "eco", "white__aid", "black__uuid", "tcn"} <= texts


def test_the_old_payload_lands_without_what_it_lacks(
    recorded_api: Api, landing: LandingZone
) -> None:
    games = recorded_api.landed(landing, "erik", month="2009-10")

    missing = ("uuid", "tcn", "initial_setup", "accuracies__white", "white__uuid", "eco")
    assert {name: games[name].null_count for name in missing} == dict.fromkeys(missing, 46)
    assert games["white__aid"].null_count == 0
    assert games["start_time"].null_count < 46


@pytest.mark.parametrize(
    "accuracies", [[99, 87.5], [99.25, 87], [99, 87]], ids=["first", "last", "all"]
)
def test_accuracies_are_fractions_even_where_they_come_as_whole_numbers(
    api: Api, landing: LandingZone, accuracies: list[float]
) -> None:
    games = [_game(n, accuracies={"white": a, "black": a}) for n, a in enumerate(accuracies)]
    api.faults.answer_next(_GAMES, _answer(*games))

    landed = api.landed(landing, "erik")

    assert str(landed.schema.field("accuracies__white").type) == "double"
    assert landed["accuracies__white"].to_pylist() == accuracies
    assert not [name for name in landed.schema.names if "__v_" in name]


def test_an_undeclared_field_lands(api: Api, landing: LandingZone) -> None:
    new = {"arena": {"name": "x", "rounds": [1, {"a": 2}]}, "tags": ["a", "b"], "month": 3}
    api.faults.answer_next(_GAMES, _answer(_game(1), _game(2, **new)))

    landed = api.landed(landing, "erik").sort_by("url").to_pylist()

    assert landed[0]["arena__name"] is None
    assert landed[1]["arena__name"] == "x"
    assert json.loads(landed[1]["arena__rounds"]) == [1, {"a": 2}]
    assert json.loads(landed[1]["tags"]) == ["a", "b"]
    assert landed[1]["month"] == 3


@pytest.mark.stack
def test_players_whose_games_have_different_fields_land_together(
    api: Api, landing: LandingZone
) -> None:
    api.faults.answer_next(_GAMES, _answer(_game(1, league=1)))
    api.faults.answer_next("hikaru/games/2024/02", _answer())
    api.faults.answer_next("magnus/games/2024/02", _answer(_game(2, arena="x"), _game(3)))

    landed = api.landed(landing, "erik", "hikaru", "magnus").sort_by("url")

    assert landed["player"].to_pylist() == ["erik", "magnus", "magnus"]
    assert landed["league"].to_pylist() == [1, None, None]
    assert landed["arena"].to_pylist() == [None, "x", None]


def test_a_field_of_another_type_than_documented_lands_as_text(
    api: Api, landing: LandingZone
) -> None:
    games = [_game(1, rated="no", white={"rating": 1500}), _game(2, white={"rating": "?"})]
    api.faults.answer_next(_GAMES, _answer(*games))

    landed = api.landed(landing, "erik").sort_by("url")

    assert landed["rated"].to_pylist() == ["no", None]
    assert landed["white__rating"].to_pylist() == ["1500", "?"]


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (_game(1, end_time="noon"), "2024-02 of 'erik': end_time is no time: .*noon"),
        (_game(1, start_time=10**17), "start_time is no time"),
        ('{"url": "x", "url": "y"}', "game 1: the key 'url' is there twice"),
        ('{"url": "x", "a": NaN}', "answered no JSON"),
        ('{"url": "x", "a": ' + "[" * 700 + "]" * 700 + "}", "nested more than 500 levels"),
        ('{"url": "x", "a": ' + "[" * 99_999 + "]" * 99_999 + "}", "answered no JSON"),
    ],
)
def test_a_game_that_cannot_become_a_row_is_an_error_that_says_why(
    api: Api, landing: LandingZone, game: dict[str, Any] | str, message: str
) -> None:
    text = game if isinstance(game, str) else json.dumps(game)
    body = f'{{"games": [{text}]}}'
    api.faults.answer_always(_GAMES, Response(body, media_type="application/json"))

    with pytest.raises(PipelineStepFailed, match=message):
        api.landed(landing, "erik")

    assert landing.months("chess", "games") == []


def test_a_field_named_player_does_not_hide_whose_game_it_is(api: Api) -> None:
    api.faults.answer_next(_GAMES, _answer(_game(1, player="somebody")))

    assert [row["player"] for row in api.rows("erik")] == ["erik"]


def test_a_duplicate_in_an_answer_lands_once(api: Api) -> None:
    api.faults.answer_next(_GAMES, _answer(_game(1), _game(2), _game(1)))

    assert sorted(row["url"][-1] for row in api.rows("erik")) == ["1", "2"]


def test_a_game_between_two_tracked_players_is_a_row_of_each(api: Api) -> None:
    met = _game(1, white={"username": "Erik"}, black={"username": "Hikaru"})
    api.faults.answer_next(_GAMES, _answer(met))
    api.faults.answer_next("hikaru/games/2024/02", _answer(met, _game(2)))

    rows = api.rows("erik", "hikaru")

    assert [(row["player"], row["url"][-1]) for row in rows] == [
        ("erik", "1"),
        ("hikaru", "1"),
        ("hikaru", "2"),
    ]


def test_the_archive_month_decides_and_not_when_a_game_ended(api: Api) -> None:
    ended = max(row["end_time"] for row in api.rows("erik"))

    assert ended > datetime(2024, 3, 1, tzinfo=UTC)


def test_a_month_that_is_not_listed_has_no_games_and_is_not_asked_for(api: Api) -> None:
    assert api.rows("erik", "hikaru", month="2023-12") == []
    assert [asked.path.rsplit("/", 1)[-1] for asked in api.faults.requests] == ["archives"] * 2


def test_a_player_without_any_month_has_no_games(api: Api) -> None:
    api.faults.answer_next(_LIST, JSONResponse({"archives": []}))

    assert api.rows("erik") == []


def test_a_listed_month_of_another_player_or_year_is_not_this_month(api: Api) -> None:
    listed = ["x/player/erik/games/12024/02", "x/player/erik/games/2024/12"]
    api.faults.answer_next(_LIST, JSONResponse({"archives": listed}))

    assert api.rows("erik") == []


_NOT_GAMES = {
    "a list": JSONResponse([]),
    "null": JSONResponse(None),
    "a text": JSONResponse("busy"),
    "an object without what was asked for": JSONResponse({}),
    "something else in its place": JSONResponse({"games": {}, "archives": {}}),
    "null entries": JSONResponse({"games": [None], "archives": [None]}),
    "nothing": Response(b"", media_type="application/json"),
    "no content": Response(status_code=204),
    "a page": HTMLResponse("<h1>One moment please</h1>"),
    "half": half(b'{"games": [], "archives": []}'),
    "a lost connection": broken_off(b'{"games": [], "archives": []}'),
    "a bad request": Response(status_code=400),
    "a failure": Response(status_code=500),
    "too many requests": Response(status_code=429),
    "a refusal": Response(status_code=403),
    "closed": Response(status_code=410),
    "not found": Response(status_code=404),
}


@pytest.mark.parametrize("path", [_LIST, _GAMES])
@pytest.mark.parametrize("answer", _NOT_GAMES.values(), ids=_NOT_GAMES.keys())
def test_an_answer_that_is_not_what_was_asked_for_is_never_an_absence(
    api: Api, path: str, answer: ASGIApp
) -> None:
    api.faults.answer_always(path, answer)

    with pytest.raises(ResourceExtractionError) as raised:
        api.rows("hikaru", "erik", "magnus")

    cause = root_cause(raised.value)
    assert isinstance(cause, SourceError | requests.exceptions.InvalidJSONError)
    assert "erik" in str(cause)


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        (_LIST, Response(status_code=404), "knows no player 'erik': correct CHESS_PLAYERS"),
        (_LIST, Response(status_code=410), "has closed 'erik': take it off CHESS_PLAYERS"),
        (_LIST, Response(status_code=403), "refused 'erik': .* set CHESS_CONTACT"),
        (_LIST, JSONResponse({}), "the archive list of 'erik' without archives"),
        (_LIST, JSONResponse([]), r"player/erik/games/archives answered '\[\]'"),
        (_GAMES, Response(status_code=404), "lists 2024-02 of 'erik' but answers 404"),
        (_GAMES, Response(status_code=410), "has closed 'erik': take it off CHESS_PLAYERS"),
        (_GAMES, Response(status_code=403), "refused 'erik': .* set CHESS_CONTACT"),
        (_GAMES, JSONResponse({}), "2024-02 of 'erik' without a list of games"),
        (_GAMES, _answer({"rules": "chess"}), "2024-02 of 'erik' .* have a url"),
        (_GAMES, JSONResponse(None), "player/erik/games/2024/02 answered 'null'"),
    ],
)
def test_an_answer_that_no_retry_can_mend_is_an_error_that_says_so_at_once(
    api: Api, path: str, answer: ASGIApp, message: str
) -> None:
    api.faults.answer_always(path, answer)

    with pytest.raises(ResourceExtractionError, match=message) as raised:
        api.rows("erik")

    assert isinstance(root_cause(raised.value), SourceError)
    assert len(api.faults.asked(path)) == 1


@pytest.mark.parametrize("path", [_LIST, _GAMES])
def test_a_failing_service_is_asked_a_bounded_number_of_times(api: Api, path: str) -> None:
    api.faults.answer_always(path, Response(status_code=502))

    with pytest.raises(ResourceExtractionError, match=f"/player/{path} answered 502"):
        api.rows("erik")

    assert len(api.faults.asked(path)) == 3


@pytest.mark.parametrize(
    "fault",
    [
        Response(status_code=500),
        Response(status_code=429, headers={"Retry-After": "0"}),
        broken_off(b'{"games": [], "archives": []}'),
    ],
    ids=["a failure", "too many requests", "a lost connection"],
)
@pytest.mark.parametrize("path", [_LIST, _GAMES])
def test_a_fault_that_passes_costs_no_game(api: Api, path: str, fault: ASGIApp) -> None:
    api.faults.answer_next(path, fault, fault)

    assert len(api.rows("erik")) == 30
    assert api.calls.count == len(api.faults.requests) == 4


@pytest.mark.parametrize(
    ("path", "to"), [(_LIST, "hikaru/games/archives"), (_GAMES, "hikaru/games/2024/02")]
)
def test_a_move_is_followed(api: Api, path: str, to: str) -> None:
    api.faults.answer_always(path, RedirectResponse(f"{api.url}/player/{to}", 301))

    rows = api.rows("erik")

    assert {row["player"] for row in rows} == {"erik"}
    assert len(rows) == 30
    assert len(api.faults.asked(to)) == 1


def test_a_service_that_cannot_be_reached_is_an_error_that_names_the_player(api: Api) -> None:
    api.url = "http://127.0.0.1:9/pub"

    with pytest.raises(ResourceExtractionError, match="player/erik/games/archives"):
        api.rows("erik")

    assert api.calls.count == 3


def test_one_request_is_made_at_a_time() -> None:
    open_now, most = 0, 0
    api = chess_app(GeneratedArchives(games_per_month=2))

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        await api(scope, receive, send)
        open_now -= 1

    with serving(Starlette(routes=[Mount("/", watched)])) as url:
        served = Api(f"{url}/pub", Faults())
        rows = served.rows("erik", "hikaru", "magnus")

    assert (len(rows), served.calls.count, most) == (6, 6, 1)


def test_an_error_leaves_no_load_behind(api: Api, landing: LandingZone) -> None:
    api.faults.answer_always("hikaru/games/2024/02", Response(status_code=404))

    with pytest.raises(PipelineStepFailed, match="lists 2024-02 of 'hikaru'"):
        api.landed(landing, "erik", "hikaru")

    assert landing.months("chess", "games") == []
