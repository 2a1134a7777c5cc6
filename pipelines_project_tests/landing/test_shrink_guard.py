"""A month does not lose most of its rows by accident, whatever became of the files of its load."""

from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract import DltResource

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.shrink_guard import accept, is_shrunk, refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import ids_ago, land, place_of, write_load


def _rows(number: int) -> list[dict[str, Any]]:
    return [{"id": each} for each in range(number)]


@pytest.mark.parametrize(
    ("rows", "before", "shrunk"),
    [(0, 0, False), (0, 1, True), (1, 2, False), (1, 3, True), (2, 3, False), (49, 100, True)],
)
def test_less_than_half_is_shrunk(rows: int, before: int, shrunk: bool) -> None:
    assert is_shrunk(rows, before) == shrunk


def test_a_month_that_was_never_landed_may_be_empty(landing: LandingZone) -> None:
    columns: dict[str, Any] = {"id": {"data_type": "bigint"}}

    assert land(place_of(landing), [], columns, verify=refuse_shrink).rows == 0


def test_a_load_of_less_than_half_is_refused_and_says_how_it_is_allowed(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    [current] = ids_ago(10)
    write_load(place, current, [_rows(5), _rows(5)])

    with pytest.raises(LandingError, match="demo/events 2023-01: 4 rows came, where 10") as error:
        land(place, _rows(4), verify=refuse_shrink)

    assert "allow_shrink: true" in str(error.value)
    assert place.current_load() == current
    assert land(place, _rows(5), verify=refuse_shrink).rows == 5


@pytest.mark.stack
def test_it_may_shrink_if_that_is_allowed_or_its_source_accepts_it(landing: LandingZone) -> None:
    place = place_of(landing)
    write_load(place, ids_ago(10)[0], [_rows(10)])

    def one_row(*_: Any) -> DltResource:
        return dlt.resource(_rows(1), name="events")

    assert land_month(place, one_row, refuse_shrink, allow_shrink=True).rows == 1
    land(place, _rows(10))
    assert land(place, _rows(1), verify=accept).rows == 1


def _cut_off(file: Path, _: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def _emptied(file: Path, _: Path) -> None:
    file.write_bytes(b"")


def _missing(file: Path, _: Path) -> None:
    file.unlink()


def _half_record(_: Path, record: Path) -> None:
    record.write_text(record.read_text()[:50])


@pytest.mark.stack
@pytest.mark.parametrize("harm", [_cut_off, _emptied, _missing, _half_record])
def test_rows_are_compared_with_a_damaged_load_too(landing: LandingZone, harm: Any) -> None:
    place = place_of(landing)
    [current] = ids_ago(10)
    write_load(place, current, [_rows(10)])
    harm(Path(place.path, f"{current}.part0.parquet"), Path(place.record_path(current)))

    with pytest.raises(LandingError, match="4 rows came, where 10 are landed"):
        land(place, _rows(4), verify=refuse_shrink)

    assert place.current_load() == current
    assert current in land(place, _rows(5), verify=refuse_shrink).replaced_damaged
