"""The content of a load: the same for the same rows, whatever load brought them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.content import content_of_load
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of

ROWS = [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]


def test_a_load_of_the_same_rows_has_the_same_content_and_records_it(landing: LandingZone) -> None:
    place = place_of(landing)

    first, second = (land(place, rows) for rows in (ROWS, ROWS[::-1]))

    load = place.current_files()
    assert load
    assert first.load_id != second.load_id
    assert first.content == second.content == load.record.content
    assert first.content


@pytest.mark.parametrize(
    "rows", [ROWS[:1], [*ROWS, ROWS[0]], [{"id": 1, "v": "a"}, {"id": 2, "v": "c"}], [{"id": 1}]]
)
def test_a_load_of_other_rows_has_another_content(
    landing: LandingZone, rows: list[dict[str, Any]]
) -> None:
    before = land(place_of(landing), ROWS)

    assert land(place_of(landing), rows).content != before.content


def test_rows_that_were_refused_are_part_of_the_content(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("rows", "refused", "others")]
    for path, line in zip(files, ("", "one", "two"), strict=True):
        pq.write_table(pa.table({"line": [line]}), path)
    rows, refused, others = files

    contents = [content_of_load([rows], each) for each in ([], [refused], [others])]

    assert len({*contents}) == 3
    assert content_of_load([rows], [refused]) == contents[1]
