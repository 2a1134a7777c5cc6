"""The landing zone is any folder of any filesystem, and knows which months it has."""

import shutil
from pathlib import Path

import pytest

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import (
    ids_ago,
    land,
    place_of,
    rows_of,
    write_load,
    write_quarantined,
)


def test_a_month_is_landed_once_it_has_a_record(zone: LandingZone) -> None:
    load_id = ids_ago(10)[0]
    write_load(place_of(zone, "2023-02"), load_id, committed=False)
    write_load(place_of(zone, "2022-12"), load_id)
    write_load(place_of(zone, "2023-01"), load_id)

    assert zone.months("demo", "events") == ["2022-12", "2023-01"]
    assert zone.months_with_files("demo", "events") == ["2022-12", "2023-01", "2023-02"]


def test_a_month_of_refused_rows_alone_has_files_too(zone: LandingZone) -> None:
    place = place_of(zone)
    [load_id] = ids_ago(10)
    write_quarantined(place, load_id, [{"id": 1}], [{"line": "{"}])
    place.delete(place.files_of_load(load_id)[:2])

    assert zone.months_with_files("demo", "events") == ["2023-01"]
    assert zone.months("demo", "events") == []


def test_what_is_no_folder_of_a_month_is_no_month(landing: LandingZone) -> None:
    write_load(place_of(landing), ids_ago(10)[0])
    table = Path(place_of(landing).path).parent
    for name in ("month=2023-13", "month=2023-1", "2023-02", "month=2023-02.old", "_month=2023-02"):
        (table / name).mkdir()

    assert landing.months_with_files("demo", "events") == ["2023-01"]


@pytest.mark.stack
@pytest.mark.parametrize("name", ["with space", "100%25#?", "o'clock", "[ab]*", "länder"])
def test_any_folder_can_be_the_landing_zone(tmp_path: Path, name: str) -> None:
    zone = LandingZone(url=f"{tmp_path / name}/")
    place = place_of(zone)
    land(place, [{"id": 1}])
    land(place, [{"id": 2}])
    place.delete(place.stale_files())

    assert [row["id"] for row in rows_of(zone, place.current_files())] == [2]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_whose_name_is_a_pattern_is_not_read_together_with_those_that_it_fits(
    tmp_path: Path,
) -> None:
    zone = LandingZone(url=str(tmp_path / "zone[1]*"))
    land(place_of(zone), [{"id": 1}])
    shutil.copytree(tmp_path / "zone[1]*", tmp_path / "zone1 of yesterday")

    assert [row["id"] for row in rows_of(zone, place_of(zone).current_files())] == [1]


@pytest.mark.parametrize("url", ["nowhere://x", "x:y://z"])
def test_a_url_that_is_no_filesystem_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(LandingError, match=r"LANDING_URL is .*not known"):
        _ = LandingZone(url=url).fs
