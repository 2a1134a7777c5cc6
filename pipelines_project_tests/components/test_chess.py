"""The chess source's own settings, as `defs.yaml` and the environment give them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines_project.components.chess import ChessSource
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project_tests.code_location import LANDING, CodeLocation, code_location

MONTH = "2024-02"


def _source(**attributes: str) -> ChessSource:
    given = {"players": "hikaru", "contact": "me@example.com", "start_month": "2023-01"}
    return ChessSource(**{**given, **attributes})  # type: ignore[arg-type]


def test_players_are_taken_in_any_case_and_each_once() -> None:
    assert _source(players=" Hikaru,erik , HIKARU").players == "hikaru,erik"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/pub", "http://127.0.0.1:1/pub/"])
def test_the_address_of_the_api_is_taken_with_and_without_a_slash(url: str) -> None:
    assert _source(api_url=url).api_url == "http://127.0.0.1:1/pub"


def test_the_real_service_is_asked_where_no_other_address_is_given() -> None:
    assert _source().api_url == "https://api.chess.com/pub"


@pytest.mark.parametrize(
    ("attribute", "value", "setting"),
    [("players", "a b", "CHESS_PLAYERS"), ("api_url", "chess.com", "CHESS_API_URL")],
)
def test_a_wrong_value_from_the_environment_is_refused_with_the_name_of_the_setting(
    attribute: str, value: str, setting: str
) -> None:
    with pytest.raises(ValidationError, match=setting) as raised:
        _source(**{attribute: value})

    assert attribute in str(raised.value)


@pytest.mark.stack
@pytest.mark.parametrize("contact", ["", "me@", "https://"])
def test_a_contact_that_nobody_could_be_reached_by_is_refused_when_a_run_asks(
    chess: CodeLocation, contact: str
) -> None:
    run = chess.with_attributes(contact=contact).materialize(MONTH, LANDING)

    assert "CHESS_CONTACT must be an e-mail or web address" in run.error
    assert chess.faults.requests == []


@pytest.mark.stack
def test_every_setting_of_the_environment_reaches_the_source(tmp_path: Path) -> None:
    archives = GeneratedArchives(games_per_month=2, first_month="2022-11", players=["magnus"])
    settings = {
        "CHESS_PLAYERS": "Magnus",
        "CHESS_CONTACT": "https://example.com/me",
        "CHESS_START_MONTH": "2022-11",
    }
    with code_location(tmp_path, archives, **settings) as chess:
        landed = chess.materialize("2022-11...2022-12", LANDING).materialized()

    assert {month: each["games_by_player"] for month, each in landed.items()} == {
        "2022-11": {"magnus": 2},
        "2022-12": {"magnus": 2},
    }
    agents = {asked.headers["user-agent"] for asked in chess.faults.requests}
    assert agents == {"pipelines-project (https://example.com/me)"}


@pytest.mark.stack
def test_defaults_stand_where_the_environment_says_nothing(tmp_path: Path) -> None:
    empty = dict.fromkeys(("CHESS_PLAYERS", "CHESS_START_MONTH"), "")
    with code_location(tmp_path, **empty) as chess:
        landed = chess.materialize("2014-01", LANDING).materialized()

    assert landed["2014-01"]["games_by_player"] == {"hikaru": 0, "magnuscarlsen": 0}
