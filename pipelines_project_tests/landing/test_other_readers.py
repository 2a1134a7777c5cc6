"""A reader that does not know this project: the one in `docs/read_the_landing_zone.md`."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import (
    change_record,
    ids_ago,
    land,
    place_of,
    write_load,
    write_quarantined,
)

PAGE = Path(__file__).parents[2] / "docs" / "read_the_landing_zone.md"

Reader = Callable[[str], pa.Table]


@pytest.fixture(scope="module")
def read_month() -> Reader:
    """The function in the page's only block of Python."""
    [block] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "pipelines_project" not in block
    namespace: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace["read_month"]


def _ids(rows: pa.Table) -> list[Any]:
    return sorted(rows["id"].to_pylist())


@pytest.mark.stack
def test_it_reads_what_was_landed_last(landing: LandingZone, read_month: Reader) -> None:
    place = place_of(landing)
    land(place, [{"id": 1}, {"id": 2}])
    assert _ids(read_month(place.path)) == [1, 2]

    land(place, [{"id": 3}])
    assert _ids(read_month(place.path)) == [3]

    place.delete(place.stale_files())
    assert _ids(read_month(place.path)) == [3]


def test_it_reads_a_month_without_rows(landing: LandingZone, read_month: Reader) -> None:
    place = place_of(landing)
    land(place, [], {"id": {"data_type": "bigint"}})

    assert _ids(read_month(place.path)) == []


def test_it_takes_the_newest_record_and_the_files_that_it_names(
    landing: LandingZone, read_month: Reader
) -> None:
    place = place_of(landing)
    # As texts, the ids are in another order.
    write_load(place, "999.5", [[{"id": "old"}]])
    write_quarantined(place, "1000.5", [{"id": "current"}], [{"line": "{"}])
    write_load(place, "2000.5", [[{"id": "being written"}]], committed=False)
    Path(f"{place.record_path('2000.5')}.new").write_text("{")
    pq.write_table(pa.table({"id": ["left"]}), Path(place.path, "1000.5.left.parquet"))

    assert _ids(read_month(place.path)) == ["current"]


def test_it_reads_any_folder(tmp_path: Path, read_month: Reader) -> None:
    place = place_of(LandingZone(url=str(tmp_path / "zone[1]* of o'clock")))
    write_load(place, ids_ago(10)[0], [[{"id": 1}], [{"id": 2, "more": "x"}]])

    assert _ids(read_month(place.path)) == [1, 2]


def test_it_refuses_another_format_and_a_damaged_load(
    landing: LandingZone, read_month: Reader
) -> None:
    place = place_of(landing)
    old, current = ids_ago(20, 10)
    write_load(place, old)
    write_load(place, current)
    Path(place.path, f"{current}.part0.parquet").unlink()
    with pytest.raises(duckdb.IOException, match="part0"):
        read_month(place.path)

    change_record(place, current, format=2)
    with pytest.raises(AssertionError, match="another format"):
        read_month(place.path)


@pytest.mark.parametrize("reruns", [20, pytest.param(80, marks=pytest.mark.stack)])
def test_it_never_reads_half_a_load_of_a_month_that_is_rerun_again_and_again(
    landing: LandingZone, read_month: Reader, reruns: int
) -> None:
    place = place_of(landing)
    ids = ids_ago(*range(reruns, 0, -1))
    write_load(place, ids[0], [[{"id": 0}]] * 3)

    def rerun() -> None:
        for number, load_id in enumerate(ids[1:], 1):
            write_load(place, load_id, [[{"id": number}]] * 3)
            place.delete(place.stale_files())

    seen = []
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(rerun)
        while not writing.done():
            seen.append(read_month(place.path)["id"].to_pylist())
        writing.result()

    assert all(len(ids) == 3 and len({*ids}) == 1 for ids in seen)
    assert [ids[0] for ids in seen] == sorted(ids[0] for ids in seen)
