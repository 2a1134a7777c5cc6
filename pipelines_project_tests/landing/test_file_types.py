"""The types of the columns of landed files, as records tell them."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines_project.landing.file_types import file_types
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of


def test_a_record_tells_the_types_of_the_columns_in_its_files(landing: LandingZone) -> None:
    at = datetime(2023, 1, 2, tzinfo=UTC)
    land(place_of(landing), [{"id": 1, "at": at, "name": "one", "tags": [1, 2]}])

    load = place_of(landing).current_files()

    assert load is not None
    types = {name: load.record.types[name] for name in ("id", "at", "name", "tags")}
    assert types == {
        "id": "int64",
        "at": "timestamp[us, tz=UTC]",
        "name": "large_string",
        "tags": "large_string",
    }
    assert load.record.types == file_types(map(pq.read_schema, load.files))


def test_a_column_whose_type_differs_between_files_has_both(tmp_path: Path) -> None:
    for name, value in (("one", 1), ("other", 1.5)):
        pq.write_table(pa.table({"id": [value]}), tmp_path / name)

    schemas = [pq.read_schema(tmp_path / name) for name in ("one", "other")]

    assert file_types(schemas) == {"id": "int64 or double"}
