"""A month lands as one load of one table, and only after it was decided that it may."""

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipelines_project.landing.land_month import is_passing_fault, root_cause
from pipelines_project.landing.zone import LandingError, LandingZone
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError, retrying_session
from pipelines_project_tests.conftest import landing
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    tree,
    write_load,
)

NAMES = ("demo", "events", MONTH)
OWN_COLUMNS = ("_dlt_id", "_dlt_load_id")


def _landed(landing: LandingZone) -> list[dict[str, Any]]:
    """Return the current load's rows without dlt's own columns."""
    rows = rows_of(landing, place_of(landing).current_files())
    return [{name: row[name] for name in row if name not in OWN_COLUMNS} for row in rows]


def _schema(landing: LandingZone) -> dict[str, pa.DataType]:
    load = place_of(landing).current_files()
    assert load is not None
    schema = pq.read_schema(load.files[0])
    return {field.name: field.type for field in schema}


def _folders(landing: LandingZone) -> set[str]:
    return {path.name for path in Path(landing.url, "demo").iterdir() if path.is_dir()}


def test_the_metadata_says_what_was_landed(landing: LandingZone) -> None:
    rows = [{"id": number, "name": "x"} for number in range(5)]
    metadata = land(place_of(landing), rows, verify=lambda _: {"players": 2})

    load = place_of(landing).current_files()
    assert load is not None
    assert metadata["load_id"] == load.load_id
    assert metadata["dagster/partition_row_count"] == 5
    assert metadata["files"] == len(load.files) == 1
    assert metadata["bytes"] == Path(load.files[0]).stat().st_size
    assert metadata["players"] == 2
    assert metadata["seconds"] > 0
    columns = {column.name: column.type for column in metadata["dagster/column_schema"].columns}
    assert columns == {"id": "bigint", "name": "text", "_dlt_load_id": "text", "_dlt_id": "text"}
    assert "superseded" not in metadata


def test_a_month_without_rows_is_a_load_with_the_schema(landing: LandingZone) -> None:
    columns: dict[str, TColumnSchema] = {
        "id": {"data_type": "bigint", "nullable": False},
        "at": {"data_type": "timestamp"},
        "n__score": {"data_type": "double"},
    }
    land(place_of(landing), [{"id": 1}], columns)
    metadata = land(place_of(landing), [], columns)

    assert metadata["dagster/partition_row_count"] == 0
    assert metadata["files"] == 1
    assert _landed(landing) == []
    assert {name: str(kind) for name, kind in _schema(landing).items()} == {
        "id": "int64",
        "at": "timestamp[us, tz=UTC]",
        "n__score": "double",
        "_dlt_load_id": "string",
        "_dlt_id": "string",
    }


def test_lists_stay_in_the_row_objects_flatten_and_no_child_table_comes_of_them(
    landing: LandingZone,
) -> None:
    nested = {"a": {"b": {"tags": ["x", {"y": [1]}], "n": 1}}, "list": [{"z": 1}], "pair": (1, 2)}
    metadata = land(place_of(landing), [{"id": 1, **nested}, {"id": 2, "list": []}])

    assert _folders(landing) == {"_dlt_loads", "_dlt_version", "events"}
    assert metadata["dagster/partition_row_count"] == 2
    assert _landed(landing) == [
        {
            "id": 1,
            "a__b__tags": '["x",{"y":[1]}]',
            "a__b__n": 1,
            "list": '[{"z":1}]',
            "pair": "[1,2]",
        },
        {"id": 2, "a__b__tags": None, "a__b__n": None, "list": "[]", "pair": None},
    ]


def test_declared_types_hold_whatever_the_first_row_looks_like(landing: LandingZone) -> None:
    columns: dict[str, TColumnSchema] = {
        "accuracy": {"data_type": "double"},
        "at": {"data_type": "timestamp"},
        "rated": {"data_type": "bool"},
        "code": {"data_type": "text"},
        "n": {"data_type": "bigint"},
        "never": {"data_type": "text"},
    }
    rows = [
        {"id": 1, "accuracy": 85, "at": 1672531200, "rated": True, "code": "007", "n": 2**62},
        {"id": 2, "accuracy": 85.5, "at": "2023-01-31T23:59:59Z", "code": 7},
    ]
    land(place_of(landing), rows, columns)

    assert str(_schema(landing)["accuracy"]) == "double"
    assert str(_schema(landing)["never"]) == "string"
    one, two = _landed(landing)
    assert one["at"] == datetime(2023, 1, 1, tzinfo=UTC)
    assert two["at"] == datetime(2023, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert (one["accuracy"], one["code"], one["n"]) == (85.0, "007", 2**62)
    assert (two["accuracy"], two["code"], two["n"]) == (85.5, "7", None)


def test_a_field_that_nobody_declared_lands(landing: LandingZone) -> None:
    columns: dict[str, TColumnSchema] = {"id": {"data_type": "bigint"}}
    rows = [{"id": 1}, {"id": 2, "surprise": {"amount": Decimal("1.5")}}]
    land(place_of(landing), rows, columns)

    assert [row["surprise__amount"] for row in _landed(landing)] == [None, Decimal("1.5")]


def test_the_verdict_comes_before_the_commit_and_sees_the_new_files(landing: LandingZone) -> None:
    land(place_of(landing), [{"id": 1}])
    before = tree(Path(landing.url))

    def verify(files: list[str]) -> dict[str, Any]:
        assert [pq.read_table(file)["id"].to_pylist() for file in files] == [[2, 3]]
        assert tree(Path(landing.url)) == before
        raise SourceError("too few")

    with pytest.raises(SourceError, match="too few"):
        land(place_of(landing), [{"id": 2}, {"id": 3}], verify=verify)

    assert tree(Path(landing.url)) == before


def _broken_off() -> Iterator[dict[str, int]]:
    yield {"id": 2}
    raise ValueError("the answer broke off")


def test_an_answer_that_breaks_off_leaves_the_month_as_it_was(landing: LandingZone) -> None:
    land(place_of(landing), [{"id": 1}])
    before = tree(Path(landing.url))

    with pytest.raises(Exception, match="broke off") as error:
        land(place_of(landing), _broken_off())

    assert isinstance(root_cause(error.value), ValueError)
    assert tree(Path(landing.url)) == before


def test_the_working_folder_goes_whatever_happens(
    landing: LandingZone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(working))
    seen: list[str] = []

    def look(_: list[str]) -> dict[str, Any]:
        seen.extend(path.name for path in working.iterdir())
        return {}

    def refuse(_: list[str]) -> dict[str, Any]:
        raise SourceError("no")

    land(place_of(landing), [{"id": 1}], verify=look)
    for rows, verify in (([{"id": 2}], refuse), (_broken_off(), look)):
        with pytest.raises(Exception, match=r"no|broke off"):
            land(place_of(landing), rows, verify=verify)

    assert len(seen) == 1
    assert list(working.iterdir()) == []


def test_an_older_run_that_ends_after_a_newer_one_takes_its_load_back(
    landing: LandingZone,
) -> None:
    newer: dict[str, Any] = {}

    def overtaken(_: list[str]) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as other_run:
            rows = [{"id": "newer"}]
            newer.update(other_run.submit(land, place_of(landing), landing, rows).result())
        return {}

    place = place_of(landing)
    older = land(place, [{"id": "older"}], verify=overtaken)

    assert older["load_id"] < newer["load_id"]
    assert (older["superseded"], older["superseded_by"]) == (True, newer["load_id"])
    assert "superseded" not in newer
    assert place.listing().committed == [newer["load_id"]]
    assert place.files_by_load().keys() == {newer["load_id"]}
    assert [row["id"] for row in _landed(landing)] == ["newer"]


@pytest.mark.parametrize("url", ["local disk", "memory://together"])
def test_runs_of_one_month_at_once_end_with_one_whole_current_load(
    tmp_path: Path, url: str
) -> None:
    zone = LandingZone(url=url if "://" in url else str(tmp_path))
    place, together = place_of(zone), Barrier(4)

    def run(number: int) -> dict[str, Any]:
        def wait(_: list[str]) -> dict[str, Any]:
            together.wait(timeout=30)
            return {}

        metadata = land(place, [{"run": number}] * 3, verify=wait)
        zone.delete(zone.month(*NAMES).stale_files())
        return metadata

    with ThreadPoolExecutor(4) as runs:
        landed = list(runs.map(run, range(4)))

    newest = max(landed, key=lambda metadata: float(metadata["load_id"]))
    rows = rows_of(zone, place_of(landing).current_files())
    assert [row["run"] for row in rows] == [landed.index(newest)] * 3
    assert place.listing().committed == [newest["load_id"]]
    assert place.files_by_load().keys() == {newest["load_id"]}


def test_many_months_land_at_once(landing: LandingZone) -> None:
    months = [f"2023-{number:02d}" for number in range(1, 7)]

    with ThreadPoolExecutor(6) as runs:
        list(runs.map(lambda m: land(place_of(landing, m), [{"of": m}]), months))

    assert landing.months("demo", "events") == months
    for month in months:
        rows = rows_of(landing, landing.month("demo", "events", month).current_files())
        assert [row["of"] for row in rows] == [month]


def _ahead(seconds: float) -> str:
    return str(time.time() + seconds)


def test_a_clock_that_is_a_moment_behind_is_waited_for(landing: LandingZone) -> None:
    place = place_of(landing)
    current = _ahead(0.4)
    write_load(place, current)

    metadata = land(place, [{"id": 2}])

    assert float(metadata["load_id"]) > float(current)
    assert metadata["seconds"] > 0.1
    assert [row["id"] for row in _landed(landing)] == [2]


def test_a_clock_that_is_minutes_behind_is_an_error_that_names_both_before_anything_is_asked(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    ahead = _ahead(300)
    write_load(place, ahead)
    before = tree(Path(landing.url))

    def never(_: str) -> Any:
        raise AssertionError("the API was asked")

    with pytest.raises(LandingError, match="clock") as error:
        Landing(landing, place, never, lambda _: {}).land()

    message = str(error.value)
    theirs, ours = map(
        datetime.fromisoformat, re.findall(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", message)
    )
    assert 295 < (theirs - ours).total_seconds() < 305
    assert f"discard_load_id: '{ahead}'" in message
    assert "demo/events 2023-01" in message
    assert tree(Path(landing.url)) == before


def test_a_load_of_another_month_does_not_hold_up_this_one(landing: LandingZone) -> None:
    write_load(place_of(landing, "2023-02"), _ahead(300))

    assert land(place_of(landing), [{"id": 1}])["seconds"] < 5


def test_what_an_earlier_crash_left_is_no_obstacle(landing: LandingZone) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(20)[0], [[{"id": "crashed"}]], committed=False)
    metadata = land(place, [{"id": "whole"}])

    assert [row["id"] for row in _landed(landing)] == ["whole"]
    landing.delete(landing.month(*NAMES).stale_files())
    assert place.files_by_load().keys() == {metadata["load_id"]}


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """An API whose answers are of no use, each in its own way."""

    def answer(status: int, body: str, **headers: str) -> Callable[[Any], Response]:
        return lambda _: Response(body, status, headers, media_type="application/json")

    routes = [
        Route("/half", answer(200, '{"games": [{"url": "https://')),
        Route("/html", answer(200, "<h1>Maintenance</h1>")),
        Route("/500", answer(500, "{}")),
        Route("/404", answer(404, "{}")),
    ]
    with serving(Starlette(routes=routes)) as url:
        yield url


def _fault(landing: LandingZone, ask: Callable[[], Any]) -> BaseException:
    """Return the error of landing a month whose resource asks so."""

    @dlt.resource(name="events")
    def events() -> Iterator[Any]:
        yield ask()

    with pytest.raises(Exception, match=r".") as error:
        Landing(landing, place_of(landing), lambda _: events(), lambda _: {}).land()
    assert landing.month(*NAMES).current_load() is None
    return error.value


@pytest.mark.parametrize("path", ["half", "html"])
def test_a_body_that_is_no_json_may_be_whole_next_time(
    landing: LandingZone, api: str, path: str
) -> None:
    fault = _fault(landing, lambda: requests.get(f"{api}/{path}", timeout=5).json())

    assert isinstance(root_cause(fault), requests.exceptions.JSONDecodeError)
    assert is_passing_fault(fault)


@pytest.mark.parametrize("path", ["500", "404"])
def test_a_bad_status_has_been_tried_again_by_the_session(
    landing: LandingZone, api: str, path: str
) -> None:
    calls = ApiCalls()
    session = retrying_session({}, calls)

    def ask() -> Any:
        return session.get(f"{api}/{path}", hooks={"response": calls.checked({})})

    fault = _fault(landing, ask)

    assert isinstance(root_cause(fault), requests.HTTPError)
    assert calls.count == (3 if path == "500" else 1)
    assert not is_passing_fault(fault)


def test_a_refused_connection_has_been_tried_again_by_the_session(landing: LandingZone) -> None:
    calls = ApiCalls()
    session = retrying_session({}, calls)
    fault = _fault(landing, lambda: session.get("http://127.0.0.1:9/nobody-listens"))

    assert calls.count == 3
    assert isinstance(root_cause(fault), requests.ConnectionError)
    assert not is_passing_fault(fault)


def test_what_a_source_says_is_final(landing: LandingZone, api: str) -> None:
    calls = ApiCalls()

    def ask() -> Any:
        hook = calls.checked({404: lambda response: f"no such player at {response.url}"})
        return retrying_session({}, calls).get(f"{api}/404", hooks={"response": hook})

    fault = _fault(landing, ask)

    assert str(root_cause(fault)) == f"no such player at {api}/404"
    assert isinstance(root_cause(fault), SourceError)
    assert not is_passing_fault(fault)


def test_a_mistake_in_the_code_is_not_tried_again(landing: LandingZone) -> None:
    fault = _fault(landing, lambda: {}["rows"])

    assert isinstance(root_cause(fault), KeyError)
    assert not is_passing_fault(fault)


def test_a_source_lands_where_a_killed_run_had_only_made_its_folder(landing: LandingZone) -> None:
    Path(landing.url, "demo").mkdir(parents=True)
    land(place_of(landing), [{"id": 1}])
    land(place_of(landing), [{"id": 2}])

    assert [row["id"] for row in _landed(landing)] == [2]


@pytest.mark.parametrize("length", [0, 10])
@pytest.mark.parametrize("name", ["init", "_dlt_version/*"])
def test_a_month_lands_again_where_a_killed_run_has_cut_off_a_file_of_dlts(
    landing: LandingZone, name: str, length: int
) -> None:
    land(place_of(landing), [{"id": 1}])
    [file] = Path(landing.url, "demo").glob(name)
    whole = file.read_bytes()
    file.write_bytes(whole[:length])

    land(place_of(landing), [{"id": 2}])

    assert [row["id"] for row in _landed(landing)] == [2]
    [file] = Path(landing.url, "demo").glob(name)
    assert json.loads(file.read_bytes()).keys() == json.loads(whole).keys()


def test_a_fault_of_the_storage_may_pass(landing: LandingZone) -> None:
    table_folder = Path(place_of(landing).path).parent
    table_folder.parent.mkdir(parents=True)
    table_folder.write_text("in the way")

    with pytest.raises(Exception, match=re.escape(str(table_folder))) as error:
        land(place_of(landing), [{"id": 1}])

    assert isinstance(root_cause(error.value), OSError)
    assert is_passing_fault(error.value)
    table_folder.unlink()
    land(place_of(landing), [{"id": 1}])
    assert [row["id"] for row in _landed(landing)] == [1]


def test_a_file_that_went_while_the_verdict_read_it_may_pass(landing: LandingZone) -> None:
    def verify(_: list[str]) -> dict[str, Any]:
        with duckdb.connect() as connection:
            connection.execute("from read_parquet('gone.parquet')")
        return {}

    with pytest.raises(duckdb.IOException) as error:
        land(place_of(landing), [{"id": 1}], verify=verify)

    assert is_passing_fault(error.value)


def test_a_load_whose_files_another_run_took_for_stale_is_taken_back_and_may_be_landed_again(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    land(place, [{"id": 1}])
    commit = FilesystemClient.complete_load

    def late(client: FilesystemClient, load_id: str) -> None:
        """Commit after a load from ten minutes ahead came, had others tidied, and was discarded."""
        [ahead] = ids_ago(-600)
        write_load(place, ahead)
        landing.delete(landing.month("demo", "events", MONTH).stale_files())
        landing.delete(place.files_of_load(ahead))
        commit(client, load_id)

    with monkeypatch.context() as patch:
        patch.setattr(FilesystemClient, "complete_load", late)
        with pytest.raises(LostFilesError, match=r"another run deleted .*parquet") as error:
            land(place, [{"id": 2}])

    assert place_of(landing).current_files() is None
    assert place.all_files_by_load() == {}
    assert is_passing_fault(error.value)
    land(place, [{"id": 2}])
    assert _landed(landing) == [{"id": 2}]


def test_an_error_that_explains_another_is_the_one_that_is_told(landing: LandingZone) -> None:
    def rows() -> Iterator[Any]:
        try:
            _ = {}["id"]
        except KeyError as error:
            raise SourceError("a row without an id") from error
        yield

    with pytest.raises(Exception, match="without an id") as error:
        land(place_of(landing), rows())

    assert str(root_cause(error.value)) == "a row without an id"
    assert not is_passing_fault(error.value)
