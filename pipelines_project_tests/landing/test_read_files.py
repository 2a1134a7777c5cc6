"""DuckDB reads a landed load wherever it is, and only what was recorded."""

from pathlib import Path

import duckdb
import pytest

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.read_files import READ_FILES, readable
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import ids_ago, place_of, write_quarantined


@pytest.fixture
def place(zone: LandingZone) -> LandedMonth:
    """A month with a quarantined line."""
    place = place_of(zone)
    write_quarantined(place, ids_ago(1)[0], [{"id": 1}, {"id": 2}], [{"line": "{"}])
    return place


def _current(place: LandedMonth) -> Load:
    load = place.current_files()
    assert load is not None
    return load


def test_a_load_is_read_wherever_it_is(place: LandedMonth) -> None:
    with readable(place, _current(place)) as here, duckdb.connect() as connection:
        own = connection.execute(f"from {READ_FILES}", {"files": here.files}).fetchall()
        refused = connection.execute(f"from {READ_FILES}", {"files": here.quarantined}).fetchall()

    assert (own, refused) == ([(1,), (2,)], [("{",)])


def test_the_copies_of_files_that_are_elsewhere_go(place: LandedMonth) -> None:
    load = _current(place)

    with readable(place, load) as here:
        copies = {*here.files, *here.quarantined} - {*load.files, *load.quarantined}
        assert all(Path(copy).is_file() for copy in copies)

    assert not any(Path(copy).exists() for copy in copies)
    assert len(load.files) == len(load.quarantined) == 1


def test_a_file_with_another_content_is_not_read(place: LandedMonth) -> None:
    load = _current(place)
    [path] = load.quarantined
    content = place.fs.cat_file(path, start=0)
    place.fs.pipe_file(path, content[:-1] + b"\0")

    with (
        pytest.raises(DamagedLoadError, match=rf"{path} has not the sha256"),
        readable(place, load),
    ):
        pass


def test_a_file_that_is_gone_is_told_as_gone(place: LandedMonth) -> None:
    load = _current(place)
    place.fs.rm_file(load.files[0])

    with pytest.raises(FileNotFoundError), readable(place, load):
        pass
