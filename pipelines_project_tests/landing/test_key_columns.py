"""Rows that lack a column of their key do not replace a month."""

from typing import Any

import pytest

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.key_columns import having_key
from pipelines_project.landing.shrink_guard import accept, refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of


def test_a_renamed_key_is_refused_by_name_and_the_month_stays(landing: LandingZone) -> None:
    place = place_of(landing)
    verify = having_key(("id", "line"), accept)
    before = land(place, [{"id": 1, "line": 1}], verify=verify)

    with pytest.raises(LandingError) as refused:
        land(place, [{"id_no": 1, "line": 1}], verify=verify)

    for part in ("key names id,", "there are id_no, line."):
        assert part in str(refused.value)
    assert place.current_load() == before.load_id


def test_a_month_without_rows_needs_no_columns(landing: LandingZone) -> None:
    assert land(place_of(landing), [], {}, verify=having_key(("id",), accept)).rows == 0


def test_a_column_called_month_is_a_key_by_its_name_in_the_warehouse(landing: LandingZone) -> None:
    verify = having_key(("source_month",), accept)

    assert land(place_of(landing), [{"month": "May"}], verify=verify).rows == 1


def test_the_other_decision_is_asked_too(landing: LandingZone) -> None:
    place = place_of(landing)
    rows: list[dict[str, Any]] = [{"id": n} for n in range(9)]
    land(place, rows)

    with pytest.raises(LandingError, match="1 rows came, where 9 are landed"):
        land(place, rows[:1], verify=having_key(("id",), refuse_shrink))
