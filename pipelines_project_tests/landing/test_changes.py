"""A month that is landed by what changed has the rows that a whole fetching would give."""

from collections.abc import Iterable
from typing import Any

import dlt
import pytest

from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.fetch import Fetch
from pipelines_project_tests.landings import ids_ago, place_of, rows_of, write_load

Rows = list[dict[str, Any]]


def _land(place: LandedMonth, rows: Rows, changes: Rows | None = None) -> Landed:
    """Land all rows, or the changes alone where the source may answer with these."""

    def extract(_: str, fetch: Fetch) -> Any:
        by_changes = changes is not None and "mark" in fetch.facts_before
        if by_changes:
            fetch.changes_by = ("id",)
        found: Iterable[Any] = changes if by_changes and changes is not None else rows
        fetch.facts["mark"] = "1"
        columns: Any = {"id": {"data_type": "bigint"}}
        return dlt.resource(iter(found), name=place.table, columns=columns)

    return land_month(place, extract, refuse_shrink, land_unchanged=False)


def _rows(zone: LandingZone, place: LandedMonth) -> list[tuple[Any, ...]]:
    rows = rows_of(zone, place.current_files())
    return sorted((row["id"], row.get("name"), row.get("size")) for row in rows)


def test_changed_rows_take_the_place_of_their_keys_and_the_others_stay(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    first = _land(place, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])

    landed = _land(place, [], [{"id": 2, "name": "B"}, {"id": 3, "name": "c"}])

    assert _rows(landing, place) == [(1, "a", None), (2, "B", None), (3, "c", None)]
    assert (landed.rows, landed.files, landed.details["rows_changed"]) == (3, 1, 2)
    assert landed.load_id != first.load_id
    load = place.current_files()
    assert {row["_dlt_load_id"] for row in rows_of(landing, load)} == {landed.load_id}
    assert load
    place.check_content(load.record)


def test_a_month_in_which_nothing_changed_keeps_its_load(landing: LandingZone) -> None:
    place = place_of(landing)
    first = _land(place, [{"id": 1}])

    landed = _land(place, [], [])

    assert (landed.not_modified, landed.load_id, landed.rows) == (True, first.load_id, 1)


def test_a_new_column_is_null_in_the_rows_that_did_not_change(landing: LandingZone) -> None:
    place = place_of(landing)
    _land(place, [{"id": 1, "name": "a"}])

    landed = _land(place, [], [{"id": 2, "size": 5}])

    assert _rows(landing, place) == [(1, "a", None), (2, None, 5)]
    assert {"id", "name", "size"} <= {*landed.schema}


@pytest.mark.stack
@pytest.mark.parametrize("changed", [{"id": 2, "size": 0.5}, {"id": 2, "size": "large"}])
def test_a_column_of_another_type_lands_the_whole_month(
    landing: LandingZone, changed: dict[str, Any]
) -> None:
    place = place_of(landing)
    _land(place, [{"id": 1, "size": 5}])
    whole = [{"id": 1, "size": 5}, changed]

    landed = _land(place, whole, [changed])

    assert "rows_changed" not in landed.details
    assert [row[0] for row in _rows(landing, place)] == [1, 2]


def test_a_damaged_load_is_not_built_upon(landing: LandingZone) -> None:
    place = place_of(landing)
    _land(place, [{"id": 1, "name": "a"}])
    load = place.current_files()
    assert load
    place.fs.pipe_file(load.files[0], b"PAR1 of old")

    landed = _land(place, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], [{"id": 2}])

    assert landed.replaced_damaged
    assert _rows(landing, place) == [(1, "a", None), (2, "b", None)]


@pytest.mark.stack
def test_a_load_that_another_run_landed_meanwhile_is_not_built_upon(landing: LandingZone) -> None:
    place = place_of(landing)
    _land(place, [{"id": 1, "name": "old"}])

    def changes() -> Any:
        write_load(place, ids_ago(0)[0], [[{"id": 1, "name": "other"}, {"id": 9}]])
        yield {"id": 1, "name": "late"}

    def extract(_: str, fetch: Fetch) -> Any:
        columns: Any = {"id": {"data_type": "bigint"}}
        if "mark" in fetch.facts_before:
            fetch.changes_by = ("id",)
            return dlt.resource(changes(), name=place.table, columns=columns)
        whole = [{"id": 1, "name": "newest"}, {"id": 9, "name": "other"}]
        return dlt.resource(iter(whole), name=place.table, columns=columns)

    land_month(place, extract, refuse_shrink, land_unchanged=False)

    assert _rows(landing, place) == [(1, "newest", None), (9, "other", None)]


@pytest.mark.stack
def test_a_column_that_is_another_field_in_what_changed_has_the_whole_month_fetched(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    _land(place, [{"id": 1, "userName": "a"}])

    whole = [{"id": 1, "user_name": "b"}, {"id": 2, "user_name": "c"}]
    landed = _land(place, whole, [{"id": 2, "user_name": "c"}])

    rows = rows_of(landing, place.current_files())
    assert sorted(row["user_name"] for row in rows) == ["b", "c"]
    assert "rows_changed" not in landed.details
