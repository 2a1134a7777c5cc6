"""Answers and settings that mean harm: refused by name, or landed and loaded as they are."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from pipelines_project_tests.code_location import LANDING, CodeLocation, code_location
from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.landings import rows_of, tree

pytestmark = pytest.mark.faults

MONTH = "2024-02"
GAMES = f"erik/games/{MONTH.replace('-', '/')}"
ARCHIVES = "erik/games/archives"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeLocation]:
    with code_location(tmp_path_factory.mktemp("loaded")) as location:
        assert location.materialize(MONTH).result.success
        yield location


def _everything(location: CodeLocation) -> Any:
    query = "select * from chess.games order by month, player, url"
    return tree(Path(location.landing.url)), location.warehouse.rows(query)


def _zeros(megabytes: int) -> bytes:
    return b'{"games": [' + b" " * (megabytes * 2**20) + b"]}"


def _bomb() -> Response:
    headers = {"Content-Encoding": "gzip"}
    return Response(gzip.compress(_zeros(300)), headers=headers, media_type="application/json")


def _large() -> Response:
    chunks = (b" " * 2**20 for _ in range(500))
    return StreamingResponse(chunks, media_type="application/json")


def _nested(depth: int) -> bytes:
    return b'{"games": ' + b"[" * depth + b"]" * depth + b"}"


HOSTILE: dict[str, tuple[Any, str]] = {
    "a gzip bomb": (_bomb, "answered with more than 268435456 bytes"),
    "500 MB": (_large, "answered with more than 268435456 bytes"),
    "broken gzip": (lambda: Response(b"no gzip", headers={"Content-Encoding": "gzip"}), "gzip"),
    "endless redirects": (lambda: RedirectResponse(f"/pub/player/{GAMES}"), "redirects"),
    "a redirect to a file": (lambda: RedirectResponse("file:///etc/passwd"), "file:///etc/passwd"),
    "lists 100,000 deep": (lambda: Response(_nested(100_000)), "."),
    "other bytes": (lambda: Response(b"\xff\xfe\x00games"), "."),
    "a game of another type": (lambda: JSONResponse({"games": [[]]}), "have a url"),
    "a url that is a number": (lambda: JSONResponse({"games": [{"url": 1}]}), "have a url"),
    "an archive list of a million": (lambda: JSONResponse({"archives": [1] * 10**6}), "archives"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_means_harm_is_refused_and_changes_nothing(
    loaded: CodeLocation, count: Count, name: str
) -> None:
    answer, reason = HOSTILE[name]
    before = _everything(loaded)
    loaded.faults.clear()
    loaded.faults.answer_always(ARCHIVES if "archive list" in name else GAMES, answer())

    run = loaded.materialize(MONTH)

    assert not run.result.success
    assert f"- {MONTH}: " in run.error
    assert re.search(reason, run.error)
    assert len(run.error) < 5_000
    assert _everything(loaded) == before
    count("hostile inputs", 1)


def _deep(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"end": 1}
    for _ in range(depth):
        value = {"d": value}
    return value


LANDS: dict[str, bytes] = {
    "not a number": b'{"url": "n", "accuracies": {"white": NaN, "black": -Infinity}}',
    "a name twice": b'{"url": "lost", "url": "kept", "eco": 1, "eco": 2}',
    "objects 30 deep": json.dumps({"url": "deep", "d": _deep(30)}).encode(),
    "lists in lists": b'{"url": "lists", "x": ' + b"[" * 200 + b"]" * 200 + b"}",
    "SQL as a value": b'{"url": "\'; drop table chess.games; --", "eco": "\\u0000\\u202e"}',
    "SQL as a time": b'{"url": "time", "end_time": "\'; drop table chess.games; --"}',
    "SQL as a name": b'{"url": "name", "a\\"; drop table chess.games; --": 1}',
    "the names of the project": b'{"url": "own", "month": "x", "_dlt_id": "y", "_dlt_load_id": 7}',
    "an empty name": b'{"url": "empty", "": 1}',
    "other scripts": '{"url": "игры", "имя": "ゲーム", "名": "x"}'.encode(),
    "a long name": json.dumps({"url": "long", "x" * 10_000: 1}).encode(),
    "a long value": json.dumps({"url": "u" * 100_000}).encode(),
}


@pytest.mark.parametrize("name", LANDS)
def test_a_game_with_strange_fields_lands_and_loads_as_one_row_or_is_refused_by_name(
    chess: CodeLocation, count: Count, name: str
) -> None:
    body = b'{"games": [' + LANDS[name] + b"]}"
    chess.faults.answer_always(GAMES, Response(body, media_type="text/html"))

    run = chess.materialize(MONTH)

    if run.result.success:
        landed = rows_of(
            chess.landing, chess.landing.month("chess", "games", MONTH).current_files()
        )
        [row] = [row for row in landed if row["player"] == "erik"]
        query = "select url from chess.games where player = 'erik' and month = '2024-02'"
        assert chess.warehouse.rows(query) == [(row["url"],)]
        assert row["url"] == json.loads(LANDS[name])["url"]
    else:
        assert f"- {MONTH}: " in run.error
        assert chess.landing.month("chess", "games", MONTH).current_load() is None
    count("hostile inputs", 1)


NAMES = (
    "../x",
    "a/b",
    "a'b",
    'a"b',
    "100%",
    "a\nb",
    "a\r\nX-Evil: 1",
    "игрок",
    "x" * 10_000,
    "a;b",
)


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_setting_that_means_harm_is_refused_before_anything_is_asked(
    chess: CodeLocation, tmp_path: Path, count: Count, number: int
) -> None:
    name = NAMES[number]
    before = tree(tmp_path)
    for attribute in ("players", "start_month"):
        with pytest.raises(Exception, match=r"user name|YYYY-MM") as refusal:
            chess.with_attributes(**{attribute: name})
        assert len(str(refusal.value)) < 1_000 + len(name)

    for config in ({"discard_load_id": name}, {"discard_load_id": "nan"}):
        run = chess.tidy(MONTH, **config)
        assert not run.result.success
    with pytest.raises(dg.DagsterInvalidConfigError, match="allow_shrink"):
        chess.materialize(MONTH, LANDING, allow_shrink=name)
    assert tree(tmp_path) == before
    assert chess.faults.requests == []
    count("hostile inputs", 5)


@pytest.mark.parametrize("month", ["../2024-02", "2024-02'--", "2024-13", "2024-2", "٢٠٢٤-02"])
def test_a_partition_that_is_no_month_is_refused_before_anything_is_asked(
    chess: CodeLocation, tmp_path: Path, count: Count, month: str
) -> None:
    before = tree(tmp_path)

    with pytest.raises(dg.DagsterUnknownPartitionError):
        chess.materialize(month, LANDING)

    assert tree(tmp_path) == before
    assert chess.faults.requests == []
    count("hostile inputs", 1)


@pytest.mark.parametrize(
    "name", ["it's", 'a"b', "100%", "a b", "a;b", "ゲーム", "a\nb", "a'; drop table x; --"]
)
def test_folders_of_any_name_hold_landing_zone_and_warehouse(
    tmp_path: Path, count: Count, name: str
) -> None:
    folder = tmp_path / name
    with code_location(folder) as chess:
        assert chess.materialize(MONTH).result.success
        assert chess.rows_by_month() == {MONTH: 40}

    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert {*tree(folder)} > {"landing", "warehouse.duckdb"}
    count("hostile inputs", 1)
