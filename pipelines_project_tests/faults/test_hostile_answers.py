"""Answers of Freshdesk and lines of files that mean harm, and hosts that lead astray."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count as numbers
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines_project.sandbox.faults import Faults, FaultsMiddleware
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.freshdesk_location import both, freshdesk_location
from pipelines_project_tests.jsonl_location import (
    LANDING,
    JsonlLocation,
    attributes,
    jsonl_location,
)
from pipelines_project_tests.landings import tree

pytestmark = pytest.mark.faults

MONTH = "2024-02"
MEGABYTE = 2**20


def _company(number: int, **fields: object) -> dict[str, object]:
    return {"id": number, "updated_at": f"{MONTH}-03T00:00:00Z", **fields}


COMPANIES = [_company(1), _company(2)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeLocation]:
    rows = StoredHelpDesk({"companies": COMPANIES, "tickets": []})
    with freshdesk_location(tmp_path_factory.mktemp("desk"), rows, most_pages=20) as location:
        assert location.materialize(MONTH, *both("companies")).result.success
        assert location.materialize(MONTH, *both("tickets")).result.success
        yield location


def _assert_refused(
    location: CodeLocation, table: str, path: str, answer: ASGIApp, reason: str
) -> None:
    """Land a table that is answered so, and check that it fails by that reason, without a trace."""
    zone = Path(location.landing.url)
    query = f"from freshdesk.{table} order by id"
    before = tree(zone), location.warehouse.rows(query)
    location.faults.clear()
    location.faults.answer_always(path, answer)

    run = location.materialize(MONTH, *both(table))

    assert not run.result.success
    assert f"- {MONTH}: " in run.error
    assert reason in run.error
    assert len(run.error) < 2_000
    assert (tree(zone), location.warehouse.rows(query)) == before


def _pages(are_new: bool, is_full: bool, at: str = f"{MONTH}-03T00:00:00Z") -> ASGIApp:
    """Answer pages that never end, whatever is asked for."""
    ids = numbers(1000)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        length = 100 if is_full else 0
        rows = [
            {"id": next(ids) if are_new else number, "updated_at": at} for number in range(length)
        ]
        url = Request(scope).url
        following = f'<{url.include_query_params(page=next(ids))}>; rel="next"'
        await JSONResponse(rows, headers={"Link": following})(scope, receive, send)

    return answer


ENDLESS = {
    "the same full page": (_pages(are_new=False, is_full=True), "with the page before"),
    "pages of new rows": (_pages(are_new=True, is_full=True), "more than 20 pages of companies"),
    "empty pages": (_pages(are_new=False, is_full=False), "more than 20 pages of companies"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_list_that_never_ends_is_refused(desk: CodeLocation, count: Count, name: str) -> None:
    answer, reason = ENDLESS[name]

    _assert_refused(desk, "companies", "companies", answer, reason)

    count("hostile inputs", 1)


def _tickets_of_later_and_later_seconds() -> ASGIApp:
    seconds = numbers()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        second = next(seconds)
        at = f"{MONTH}-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
        rows = [{"id": second * 100 + number, "updated_at": at} for number in range(100)]
        await JSONResponse(rows)(scope, receive, send)

    return answer


def test_tickets_that_never_end_are_refused(desk: CodeLocation, count: Count) -> None:
    answer = _tickets_of_later_and_later_seconds()

    _assert_refused(desk, "tickets", "tickets", answer, "more than 20 pages of tickets")

    count("hostile inputs", 1)


def _row(text: bytes) -> Response:
    body = b'[{"id": 1, "updated_at": "2024-02-03T00:00:00Z", ' + text + b"}]"
    return Response(body, media_type="application/json")


DEEP = 100_000
LISTS = b"[" * DEEP + b"]" * DEEP
OBJECTS = b'{"a": ' * DEEP + b"1" + b"}" * DEEP
REFUSED = {
    "a page of HTML": (Response(b"<html>Sign in</html>", media_type="text/html"), "is no list"),
    "bytes of an image": (Response(b"\x89PNG\r\n", media_type="image/png"), "is no list"),
    "an empty body": (Response(b""), "is no list"),
    "half a list": (Response(b'[{"id": 1, '), "/companies"),
    "NaN": (_row(b'"x": NaN'), "/companies"),
    "lists 100,000 deep": (_row(b'"x": ' + LISTS), "/companies"),
    "objects 100,000 deep": (_row(b'"x": ' + OBJECTS), "/companies"),
    "a list 100,000 deep that never closes": (Response(b"[" * DEEP), "/companies"),
    "no id": (JSONResponse([{"updated_at": "2024-02-03"}]), "no id with an updated_at"),
    "a text as id": (JSONResponse([_company(1) | {"id": "1"}]), "no id with an updated_at"),
    "a time that is none": (JSONResponse([_company(1) | {"updated_at": "x"}]), "no id with an"),
    "rows that are lists": (JSONResponse([[1]]), "/companies"),
    "endless redirects": (RedirectResponse("/api/v2/companies"), "redirects"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_answer_of_freshdesk_that_means_harm_is_refused_and_changes_nothing(
    desk: CodeLocation, count: Count, name: str
) -> None:
    answer, reason = REFUSED[name]

    _assert_refused(desk, "companies", "companies", answer, reason)

    count("hostile inputs", 1)


def test_of_a_key_that_is_there_twice_the_last_one_counts(desk: CodeLocation, count: Count) -> None:
    desk.faults.clear()
    desk.faults.answer_always("companies", _row(b'"name": "lost", "name": "kept"'))

    assert desk.materialize(MONTH, *both("companies")).result.success

    assert desk.warehouse.rows("select name from freshdesk.companies where id = 1") == [("kept",)]
    count("hostile inputs", 1)


@contextmanager
def _listening() -> Iterator[tuple[str, Faults]]:
    """Serve another host, which answers anything with rows, and tells what it was asked."""
    faults = Faults()

    async def answer(_request: Request) -> Response:
        return JSONResponse([_company(666)])

    middleware = [Middleware(FaultsMiddleware, faults=faults)]
    routes = [Route("/{path:path}", answer)]
    with serving(Starlette(routes=routes, middleware=middleware)) as url:
        yield url, faults


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_neither_key_nor_request_reaches_a_host_that_freshdesk_redirects_to(
    desk: CodeLocation, count: Count, status: int, host: str
) -> None:
    with _listening() as (url, elsewhere):
        target = f"{url.replace('127.0.0.1', host)}/api/v2/companies"
        answer = RedirectResponse(target, status)
        _assert_refused(desk, "companies", "companies", answer, f"redirects to '{target}")

    assert elsewhere.requests == []
    count("hostile inputs", 1)


@pytest.mark.parametrize(
    "target",
    [
        "https://{host}/api/v2/companies",
        "http://{host}@example.com/",
        "//example.com/api/v2",
        "ftp://{host}/",
    ],
)
def test_a_redirect_to_another_scheme_or_name_is_refused(
    desk: CodeLocation, count: Count, target: str
) -> None:
    to = target.format(host=desk.api_url.split("/")[2])

    _assert_refused(desk, "companies", "companies", RedirectResponse(to), "which is not asked")

    count("hostile inputs", 1)


def test_the_contact_reaches_no_host_that_chess_redirects_to(
    chess: CodeLocation, count: Count
) -> None:
    with _listening() as (url, elsewhere):
        for path in ("erik/games/archives", "erik/games/2024/02"):
            chess.faults.clear()
            chess.faults.answer_always(path, RedirectResponse(f"{url}/pub/player/{path}"))
            run = chess.materialize(MONTH)
            assert not run.result.success
            assert f"redirects to '{url}" in run.error
            count("hostile inputs", 1)

    assert elsewhere.requests == []
    assert chess.landing.month("chess", "games", MONTH).current_load() is None


_LANDS_IN_LITTLE_MEMORY = """
import sys
from pathlib import Path
from pipelines_project_tests.faults.test_hostile_answers import peak_memory
from pipelines_project_tests.freshdesk_location import both, freshdesk_location
from pipelines_project.sandbox.help_desk import StoredHelpDesk

with freshdesk_location(Path(sys.argv[1]), StoredHelpDesk({}), api_url=sys.argv[2]) as location:
    location.materialize("2024-01", *both("companies"))
    before = peak_memory()
    run = location.materialize("2024-02", *both("companies"))
    after = peak_memory()
    assert "answered with more than 268435456 bytes" in run.error, run.error
    print("bytes more:", after - before)
"""


def peak_memory() -> int:
    """Return the most bytes that this process has held since it was last asked.

    (What `resource` says of a process counts what its parent held before.)
    """
    said = Path("/proc/self/status").read_text()
    Path("/proc/self/clear_refs").write_text("5")
    return int(said.partition("VmHWM:")[2].split()[0]) * 1024


def test_of_an_endless_body_little_more_is_read_than_may_be_and_memory_stays_bounded(
    tmp_path: Path, count: Count
) -> None:
    sent = list[int]()

    async def chunks() -> AsyncIterator[bytes]:
        while sum(sent) < 2_000 * MEGABYTE:
            sent.append(MEGABYTE)
            yield b" " * MEGABYTE
            # So that the server can notice that nobody listens any more.
            await asyncio.sleep(0)

    async def body(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(chunks(), media_type="application/json")(scope, receive, send)

    faults = Faults()
    middleware = [Middleware(FaultsMiddleware, faults=faults)]
    with serving(Starlette(middleware=middleware)) as url:
        faults.answer_next("companies", Response(b"[]"))
        faults.answer_always("companies", body)
        command = [sys.executable, "-c", _LANDS_IN_LITTLE_MEMORY, str(tmp_path), url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    more = int(done.stdout.rpartition("bytes more:")[2])
    assert 200 * MEGABYTE < more < 600 * MEGABYTE
    assert 256 * MEGABYTE <= sum(sent) < 300 * MEGABYTE
    count("hostile inputs", 1)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsonlLocation]:
    folder = tmp_path_factory.mktemp("lines")
    with jsonl_location(folder, attributes(folder / "raw", provenance=True)) as location:
        _write(location, b"good.jsonl", b'{"id": 1}\n')
        assert location.materialize(MONTH).result.success
        yield location


def _write(location: JsonlLocation, name: bytes, content: bytes) -> None:
    """Make the file the only one of the month."""
    month = location.raw / "events" / MONTH
    month.mkdir(parents=True, exist_ok=True)
    for path in month.iterdir():
        path.unlink()
    Path(month, name.decode(errors="surrogateescape")).write_bytes(content)


LINES = {
    "lists 100,000 deep": (b'{"a": ' + LISTS + b"}", "line 2: nested more than 500 levels deep"),
    "objects 100,000 deep": (OBJECTS, "line 2: nested more than 500 levels deep"),
    "lists that never close": (b'{"a": ' + b"[" * DEEP, "line 2: nested more than 500 levels"),
    "a key twice": (b'{"a": 1, "a": 2}', "line 2: the key 'a' is there twice"),
    "a key with NUL": (b'{"a\\u0000": 1}', "line 2: the key"),
    "half a character": (b'{"a": "\\ud800"}', "line 2: no low surrogate"),
    "other bytes": (b'{"a": "\xff"}', "line 2: not UTF-8"),
    "a list": (b"[1]", "line 2: a JSON array"),
    "nothing but a quote": (b'"', "line 2: "),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_means_harm_is_refused_by_file_and_line(
    lines: JsonlLocation, count: Count, name: str
) -> None:
    line, reason = LINES[name]
    before = tree(Path(lines.landing.url))
    _write(lines, b"bad.jsonl", b'{"id": 1}\n' + line + b"\n")

    run = lines.materialize(MONTH, LANDING)

    assert not run.result.success
    assert f"events/{MONTH}/bad.jsonl {reason}" in run.error
    assert len(run.error) < 2_000
    assert tree(Path(lines.landing.url)) == before
    count("hostile inputs", 1)


LANDED = {
    "NaN": b'{"v": NaN}',
    "SQL": b'{"v": "\'; drop table local_jsonl.events; --", "x\\"; drop table y; --": 1}',
    "the names of the project": b'{"month": 1, "_dlt_id": 2, "_dlt_load_id": 3, "source_file": 4}',
    "a key without a name": b'{"": 1}',
    "a key of 10,000 letters": b'{"' + b"k" * 10_000 + b'": 1}',
    "a number beyond all": b'{"v": 1e999}',
    "brackets in a text": json.dumps({"v": "[" * 200_000}).encode(),
}


def test_lines_of_strange_content_land_as_one_row_each(lines: JsonlLocation, count: Count) -> None:
    _write(lines, b"odd.jsonl", b"\n".join(LANDED.values()))

    run = lines.materialize(MONTH, allow_shrink=True)

    assert run.result.success, run.error
    query = f"select source_line from local_jsonl.events where month = '{MONTH}' order by 1"
    assert lines.rows(query) == [(number,) for number in range(1, len(LANDED) + 1)]
    count("hostile inputs", len(LANDED))


NAMES = ["it's", 'a"b', "100%", "a\nb", "игры", "a[1]", "*", "x" * 240, "a; drop", "{{ env.HOME }}"]


def test_a_file_of_any_name_is_read_and_named_as_it_is(lines: JsonlLocation, count: Count) -> None:
    _write(lines, b"good.jsonl", b'{"id": 1}\n')
    month = lines.raw / "events" / MONTH
    for name in NAMES:
        (month / f"{name}.jsonl").write_text('{"id": 1}\n')

    run = lines.materialize(MONTH, allow_shrink=True)

    assert run.result.success, run.error
    query = f"select source_file from local_jsonl.events where month = '{MONTH}'"
    named = [f"events/{MONTH}/{name}.jsonl" for name in ["good", *NAMES]]
    assert sorted(path for (path,) in lines.rows(query)) == sorted(named)
    count("hostile inputs", len(NAMES))


def test_a_file_whose_name_is_not_utf_8_is_refused_by_name(
    lines: JsonlLocation, count: Count
) -> None:
    _write(lines, b"\xff.jsonl", b'{"id": 1}\n')

    run = lines.materialize(MONTH, LANDING)

    assert f"the name of 'events/{MONTH}/\\udcff.jsonl' is not UTF-8" in run.error
    count("hostile inputs", 1)


@pytest.mark.parametrize("kind", ["a pipe", "a link to a device", "a link to nothing"])
def test_what_is_no_file_is_refused_by_name_and_not_waited_for(
    lines: JsonlLocation, count: Count, kind: str
) -> None:
    _write(lines, b"good.jsonl", b'{"id": 1}\n')
    path = lines.raw / "events" / MONTH / "odd.jsonl"
    if kind == "a pipe":
        subprocess.run(["mkfifo", path], check=True)
    else:
        path.symlink_to("/dev/zero" if kind == "a link to a device" else "/nowhere")

    run = lines.materialize(MONTH, LANDING)

    assert f"events/{MONTH}/odd.jsonl is neither a file nor a link to one" in run.error
    count("hostile inputs", 1)


def test_a_line_that_a_few_compressed_bytes_make_too_long_is_refused_in_bounded_memory(
    lines: JsonlLocation, count: Count
) -> None:
    path = lines.raw / "events" / MONTH / "bomb.jsonl.gz"
    _write(lines, b"good.jsonl", b'{"id": 1}\n')
    with path.open("wb") as file:
        zeros = ["head", "-c", "600M", "/dev/zero"]
        with subprocess.Popen(zeros, stdout=subprocess.PIPE) as body:
            subprocess.run(["gzip", "-1"], stdin=body.stdout, stdout=file, check=True)
    peak_memory()
    before = peak_memory()

    run = lines.materialize(MONTH, LANDING)

    assert f"events/{MONTH}/bomb.jsonl.gz has a line of more than 268435456 bytes" in run.error
    assert peak_memory() - before < 600 * MEGABYTE
    count("hostile inputs", 1)
