"""Real data is told from the demo's, and none of its settings reaches the demo."""

import pytest

from pipelines_project.demo.sources import DEMO_SOURCES
from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.landings import place_of, write_load

[_CHESS] = [source for source in DEMO_SOURCES if source.name == "chess"]
_MONTHS = ["2023-01", "2023-02", "2023-03"]
_MADE_UP = {"player": "demo-anna"}


@pytest.mark.parametrize("real", [{"player": "hikaru"}, {"player": None}])
def test_real_months_are_found_where_they_are_landed(
    landing: LandingZone, warehouse: Warehouse, real: dict[str, str | None]
) -> None:
    for month, rows in {
        "2022-12": [real],
        "2023-01": [_MADE_UP],
        "2023-02": [_MADE_UP, real],
    }.items():
        write_load(place_of(landing, month, "games", "chess"), "1700000000.5", [rows])

    assert _CHESS.real_months(landing, warehouse, _MONTHS) == ["2023-02"]


def test_real_months_are_found_where_they_are_loaded(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    with warehouse.connect() as connection:
        connection.execute("create schema chess")
        connection.execute(
            "create table chess.games as from (values ('2022-12', 'hikaru'), "
            "('2023-01', 'demo-boris'), ('2023-03', 'hikaru')) as games (month, player)"
        )

    assert _CHESS.real_months(landing, warehouse, _MONTHS) == ["2023-03"]


def test_nothing_is_real_where_nothing_was_landed(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    assert _CHESS.real_months(landing, warehouse, _MONTHS) == []


def test_a_setting_of_the_source_comes_from_the_demo_alone() -> None:
    inherited = {"PATH": "/bin", "CHESS_START_MONTH": "2031-01", "CHESS_PLAYERS": "hikaru"}

    assert _CHESS.environment(inherited) == {"PATH": "/bin", **_CHESS.settings}
