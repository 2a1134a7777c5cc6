"""A month lands as one load of one table, and only after it was decided that it may."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.common.schema.typing import TColumnSchema
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines_project.landing.causes import is_passing_fault, root_cause
from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth, Listing
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.sample import Sample
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.fetch import Fetch, NotModifiedError
from pipelines_project.sources.http.api_calls import SourceError
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


@pytest.mark.stack
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


@pytest.mark.stack
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


@pytest.mark.stack
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


def test_what_an_earlier_crash_left_is_no_obstacle(landing: LandingZone) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(20)[0], [[{"id": "crashed"}]], committed=False)
    landed = land(place, [{"id": "whole"}])

    assert [row["id"] for row in _landed(landing)] == ["whole"]
    place.delete(place.stale_files())
    assert [*place.listing().files] == [landed.load_id]


@pytest.mark.stack
def test_a_source_lands_where_a_killed_run_had_only_made_its_folder(landing: LandingZone) -> None:
    Path(landing.url, "demo").mkdir(parents=True)
    land(place_of(landing), [{"id": 1}])
    land(place_of(landing), [{"id": 2}])

    assert [row["id"] for row in _landed(landing)] == [2]


@pytest.mark.stack
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


@pytest.mark.stack
def test_rows_that_may_be_shown_stay_with_a_load_that_its_source_says_still_holds(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    first = land(place, [{"id": 1}], shows_rows=True)
    again = land_month(place, _unchanged, accept, land_unchanged=False)
    hidden = land(place, [{"id": 1}])

    assert first.sample == again.sample == Sample(["id"], [["1"]], is_cut=False)
    assert hidden.sample is None


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
