"""A month lands as one load of one table, and only after it was decided that it may."""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipelines_project.landing.causes import is_passing_fault, root_cause
from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.land_month import Details, Landed, NewLoad, land_month
from pipelines_project.landing.landed_month import LandedMonth, Listing
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.server import serving
from pipelines_project.sources.fetch import Fetch, NotModifiedError
from pipelines_project.sources.http.api_calls import ApiCalls, SourceError
from pipelines_project.sources.http.session import ServiceAwayError, retrying_session
from pipelines_project_tests.landings import (
    MONTH,
    ids_ago,
    land,
    place_of,
    rows_of,
    tree,
    write_load,
)

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


def test_what_is_told_of_a_month_is_what_was_landed(landing: LandingZone) -> None:
    rows = [{"id": number, "name": "x"} for number in range(5)]
    landed = land(place_of(landing), rows, verify=lambda _: {"players": 2})

    load = place_of(landing).current_files()
    assert load is not None
    assert landed.load_id == load.load_id
    assert landed.rows == 5
    assert landed.files == len(load.files) == 1
    assert landed.bytes == Path(load.files[0]).stat().st_size
    assert landed.details == {"players": 2}
    assert landed.seconds > 0
    assert landed.schema == {
        "id": "bigint",
        "name": "text",
        "_dlt_load_id": "text",
        "_dlt_id": "text",
    }
    assert (landed.not_modified, landed.superseded_by, landed.replaced_damaged) == (False, None, "")


def test_a_month_without_rows_is_a_load_with_the_schema(landing: LandingZone) -> None:
    columns: dict[str, TColumnSchema] = {
        "id": {"data_type": "bigint", "nullable": False},
        "at": {"data_type": "timestamp"},
        "n__score": {"data_type": "double"},
    }
    land(place_of(landing), [{"id": 1}], columns)
    landed = land(place_of(landing), [], columns)

    assert (landed.rows, landed.files) == (0, 1)
    assert _landed(landing) == []
    assert {name: str(kind) for name, kind in _schema(landing).items()} == {
        "id": "int64",
        "at": "timestamp[us, tz=UTC]",
        "n__score": "double",
        "_dlt_id": "string",
        "_dlt_load_id": "dictionary<values=string, indices=int8, ordered=0>",
    }


def test_lists_stay_in_the_row_objects_flatten_and_no_child_table_comes_of_them(
    landing: LandingZone,
) -> None:
    nested = {"a": {"b": {"tags": ["x", {"y": [1]}], "n": 1}}, "list": [{"z": 1}], "pair": (1, 2)}
    landed = land(place_of(landing), [{"id": 1, **nested}, {"id": 2, "list": []}])

    assert [path.name for path in Path(landing.url, "demo").iterdir()] == ["events"]
    assert landed.rows == 2
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

    def verify(new: NewLoad) -> Details:
        assert [pq.read_table(file.path)["id"].to_pylist() for file in new.staged.files] == [[2, 3]]
        assert (new.rows_of("events"), new.before.rows) == (2, 1)
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

    def look(_: NewLoad) -> Details:
        seen.extend(path.name for path in working.iterdir())
        return {}

    def refuse(_: NewLoad) -> Details:
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
    newer: list[Landed] = []
    place = place_of(landing)

    def overtaken(_: NewLoad) -> Details:
        with ThreadPoolExecutor(1) as other_run:
            newer.append(other_run.submit(land, place, [{"id": "newer"}]).result())
        return {}

    older = land(place, [{"id": "older"}], verify=overtaken)

    assert older.load_id < newer[0].load_id
    assert older.superseded_by == newer[0].load_id
    assert newer[0].superseded_by is None
    assert place.listing().committed == [*place.listing().files] == [newer[0].load_id]
    assert [row["id"] for row in _landed(landing)] == ["newer"]


def test_an_older_run_whose_record_a_newer_one_took_for_stale_is_superseded(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer: list[Landed] = []
    place, name_it = place_of(landing), Path.replace

    def late(new: Path, path: str) -> Path:
        """Give the record its name after a newer load came, whose run deleted it as stale."""
        monkeypatch.undo()
        newer.append(land(place, [{"id": "newer"}]))
        place.delete(place.stale_files())
        return name_it(new, path)

    monkeypatch.setattr(Path, "replace", late)
    older = land(place, [{"id": "older"}])

    assert older.superseded_by == newer[0].load_id
    assert place.listing().committed == [*place.listing().files] == [newer[0].load_id]
    assert [row["id"] for row in _landed(landing)] == ["newer"]


def test_runs_of_one_month_at_once_end_with_one_whole_current_load(zone: LandingZone) -> None:
    place, together = place_of(zone), Barrier(4)

    def run(number: int) -> Landed:
        def wait(_: NewLoad) -> Details:
            together.wait(timeout=30)
            return {}

        landed = land(place, [{"run": number}] * 3, verify=wait)
        place.delete(place.stale_files())
        return landed

    with ThreadPoolExecutor(4) as runs:
        landed = list(runs.map(run, range(4)))

    newest = max(landed, key=lambda each: float(each.load_id))
    rows = rows_of(zone, place.current_files())
    assert [row["run"] for row in rows] == [landed.index(newest)] * 3
    assert place.listing().committed == [*place.listing().files] == [newest.load_id]


def test_many_months_land_at_once(landing: LandingZone) -> None:
    months = [f"2023-{number:02d}" for number in range(1, 7)]

    with ThreadPoolExecutor(6) as runs:
        list(runs.map(lambda m: land(place_of(landing, m), [{"of": m}]), months))

    assert landing.months("demo", "events") == months
    for month in months:
        rows = rows_of(landing, place_of(landing, month).current_files())
        assert [row["of"] for row in rows] == [month]


def _ahead(seconds: float) -> str:
    return str(time.time() + seconds)


def test_a_clock_that_is_a_moment_behind_is_waited_for(landing: LandingZone) -> None:
    place = place_of(landing)
    current = _ahead(0.4)
    write_load(place, current)

    landed = land(place, [{"id": 2}])

    assert float(landed.load_id) > float(current)
    assert landed.seconds > 0.1
    assert [row["id"] for row in _landed(landing)] == [2]


def test_a_clock_that_is_minutes_behind_is_an_error_that_names_both_before_anything_is_asked(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    ahead = _ahead(300)
    write_load(place, ahead)
    before = tree(Path(landing.url))

    def never(*_: Any) -> Any:
        raise AssertionError("the API was asked")

    with pytest.raises(LandingError, match="clock") as error:
        land_month(place, never, accept)

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

    assert land(place_of(landing), [{"id": 1}]).rows == 1


def test_what_an_earlier_crash_left_is_no_obstacle(landing: LandingZone) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(20)[0], [[{"id": "crashed"}]], committed=False)
    landed = land(place, [{"id": "whole"}])

    assert [row["id"] for row in _landed(landing)] == ["whole"]
    place.delete(place.stale_files())
    assert [*place.listing().files] == [landed.load_id]


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
        land_month(place_of(landing), lambda *_: events(), accept)
    assert place_of(landing).current_load() is None
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

    kind = ServiceAwayError if path == "500" else SourceError
    assert type(root_cause(fault)) is kind
    assert calls.count == (3 if path == "500" else 1)
    assert not is_passing_fault(fault)


def test_a_refused_connection_has_been_tried_again_by_the_session(landing: LandingZone) -> None:
    calls = ApiCalls()
    session = retrying_session({}, calls)
    fault = _fault(landing, lambda: session.get("http://127.0.0.1:9/nobody-listens"))

    assert calls.count == 3
    assert isinstance(root_cause(fault), ServiceAwayError)
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
    def verify(_: NewLoad) -> Details:
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
    commit = LandedMonth.commit

    def late(month: LandedMonth, record: LoadRecord) -> None:
        """Commit after a load from ten minutes ahead came, had others tidied, and was discarded."""
        monkeypatch.undo()
        [ahead] = ids_ago(-600)
        write_load(place, ahead)
        place.delete(place.stale_files())
        place.delete(place.files_of_load(ahead))
        commit(month, record)

    monkeypatch.setattr(LandedMonth, "commit", late)
    with pytest.raises(DamagedLoadError, match=r"another run deleted .*parquet") as error:
        land(place, [{"id": 2}])

    assert place.current_files() is None
    assert place.listing() == Listing()
    assert is_passing_fault(error.value)
    land(place, [{"id": 2}])
    assert _landed(landing) == [{"id": 2}]


def _unchanged(*_: Any) -> DltResource:
    def rows() -> Iterator[Any]:
        raise NotModifiedError
        yield

    return dlt.resource(rows(), name="events")


def test_a_month_whose_source_says_that_nothing_is_new_keeps_its_load(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    before = land(place, [{"id": 1}, {"id": 2}])
    files = tree(Path(landing.url))

    landed = land_month(place, _unchanged, accept, land_unchanged=False)

    assert landed.not_modified
    assert replace(landed, not_modified=False, seconds=0.0) == replace(before, seconds=0.0)
    assert tree(Path(landing.url)) == files


def test_a_month_that_was_never_landed_cannot_be_unchanged(landing: LandingZone) -> None:
    with pytest.raises(PipelineStepFailed) as error:
        land_month(place_of(landing), _unchanged, accept, land_unchanged=False)

    assert isinstance(root_cause(error.value), NotModifiedError)


@pytest.mark.parametrize(("land_unchanged", "told"), [(False, {"at": "1"}), (True, {})])
def test_a_source_is_told_what_the_current_load_was_made_from_unless_it_is_landed_in_any_case(
    landing: LandingZone, land_unchanged: bool, told: dict[str, str]
) -> None:
    fetches: list[Fetch] = []

    def extract(month: str, fetch: Fetch) -> DltResource:
        def rows() -> Iterator[Any]:
            fetches.append(fetch)
            fetch.facts["at"] = str(len(fetches))
            yield [{"id": 1}, {"id": 2}]

        assert month == MONTH
        return dlt.resource(rows(), name="events")

    for _ in range(2):
        land_month(place_of(landing), extract, accept, land_unchanged=land_unchanged)

    assert [(fetch.rows_before, fetch.facts_before) for fetch in fetches] == [(0, {}), (2, told)]
    load = place_of(landing).current_files()
    assert load
    assert load.record.fetched == {"at": "2"}


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
