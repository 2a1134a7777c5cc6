"""A clock that is behind is waited for, or named."""

import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.shrink_guard import accept
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import (
    land,
    place_of,
    rows_of,
    tree,
    write_load,
)


def _ahead(seconds: float) -> str:
    return str(time.time() + seconds)


@pytest.mark.stack
def test_a_clock_that_is_a_moment_behind_is_waited_for(landing: LandingZone) -> None:
    place = place_of(landing)
    current = _ahead(0.4)
    write_load(place, current)

    landed = land(place, [{"id": 2}])

    assert float(landed.load_id) > float(current)
    assert landed.seconds > 0.1
    assert [row["id"] for row in rows_of(landing, place_of(landing).current_files())] == [2]


def test_a_clock_that_is_minutes_behind_is_an_error_that_names_both_before_anything_is_asked(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    ahead = _ahead(300)
    write_load(place, ahead)
    before = tree(Path(landing.url))

    def never(*_: Any) -> Any:
        raise AssertionError("the API was asked")

    with pytest.raises(LandingError, match="clock") as error:
        land_month(place, never, accept)

    message = str(error.value)
    theirs, ours = map(
        datetime.fromisoformat, re.findall(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", message)
    )
    assert 295 < (theirs - ours).total_seconds() < 305
    assert f"discard_load_id: '{ahead}'" in message
    assert "demo/events 2023-01" in message
    assert tree(Path(landing.url)) == before


def test_a_load_of_another_month_does_not_hold_up_this_one(landing: LandingZone) -> None:
    write_load(place_of(landing, "2023-02"), _ahead(300))

    assert land(place_of(landing), [{"id": 1}]).rows == 1
