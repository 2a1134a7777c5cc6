"""What the files of a month are like."""

from pathlib import Path

import pyarrow.parquet as pq

from pipelines_project.forget import landed as forget_landed
from pipelines_project.forget.subject import Subject
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
    _land_twice(landing)

    forget_landed.forget(landing, place_of(landing), Subject("who", "them"))

    assert _codecs(landing) == [{"ZSTD"}, {"ZSTD"}]
