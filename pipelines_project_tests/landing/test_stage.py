"""What a staged load is like: its files, its id, the folder that it is in."""

import time
from pathlib import Path

import dlt
import pyarrow.parquet as pq
from dlt.extract import DltResource

from pipelines_project.forget import landed as forget_landed
from pipelines_project.forget.subject import Subject
from pipelines_project.landing.stage import staged
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of


def _land_twice(landing: LandingZone) -> None:
    for rows in ([{"id": 1, "who": "them"}, {"id": 2, "who": "us"}], [{"id": 2, "who": "us"}]):
        land(place_of(landing), rows)


def _codecs(landing: LandingZone) -> list[set[str]]:
    """Return the codecs of each landed file."""
    files = map(pq.read_metadata, Path(landing.url).glob("demo/events/*/*.parquet"))
    return [
        {file.row_group(0).column(at).compression for at in range(file.num_columns)}
        for file in files
    ]


def test_every_file_is_compressed_by_zstd(landing: LandingZone) -> None:
    _land_twice(landing)

    assert _codecs(landing) == [{"ZSTD"}, {"ZSTD"}]


def test_a_file_stays_compressed_when_a_person_is_forgotten(landing: LandingZone) -> None:
    place = place_of(landing)
    land(place, [{"id": 1, "who": "them"}, {"id": 2, "who": "us"}])

    assert forget_landed.forget(place, Subject("who", "them"))

    assert _codecs(landing) == [{"ZSTD"}]


def test_the_folder_of_a_staged_month_is_its_own_and_goes_with_it(landing: LandingZone) -> None:
    def rows() -> DltResource:
        return dlt.resource([{"id": 1}], name="events")

    with staged(place_of(landing), rows) as one, staged(place_of(landing), rows) as other:
        [first], [second] = one.files, other.files
        assert first.path.is_file()
        assert second.path.is_file()
        assert first.path != second.path
        assert (first.table, first.rows) == ("events", 1)

    assert not first.path.exists()
    assert not second.path.exists()
    assert not Path(landing.url).exists()


def test_a_month_begins_without_what_an_earlier_one_knew(landing: LandingZone) -> None:
    land(place_of(landing), [{"id": 1, "gone": "x"}])
    assert "gone" not in land(place_of(landing), [{"id": 2}]).schema


def test_load_ids_are_times(landing: LandingZone) -> None:
    before = time.time()
    load_id = land(place_of(landing), [{"id": 1}]).load_id

    assert before <= float(load_id) <= time.time()
    assert place_of(landing).current_load() == load_id
