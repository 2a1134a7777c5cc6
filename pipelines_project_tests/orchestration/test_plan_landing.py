"""What landing each month would find, as the landing zone, past runs and the source tell it."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pipelines_project.components.chess import ChessSource
from pipelines_project.landing.landed_month import Load
from pipelines_project.landing.record import LoadRecord
from pipelines_project.months import month_of
from pipelines_project.orchestration.plan_landing import LandingLook, State
from pipelines_project.report.history import Failure

[_GAMES] = ChessSource(players="erik", contact="a@example.org").monthly_tables()
_NOW = month_of(datetime.now(UTC))


def _landed(age: timedelta) -> Load:
    load_id = str(time.time() - age.total_seconds())
    return Load(load_id, LoadRecord(load_id, {}, []), [])


def _at(month: str, load: Load | str | None, failed: Mapping[str, Failure] | None = None) -> State:
    return LandingLook(_GAMES, {month: load}, failed or {}, None).at(month)[0]


def test_only_the_current_month_grows_old() -> None:
    age = _GAMES.fresh_within + timedelta(minutes=1)

    assert _at(_NOW, _landed(age)) is State.OLD
    assert _at(_NOW, _landed(timedelta(0))) is State.UNKNOWN
    assert _at("2024-01", _landed(age)) is State.UNKNOWN


def test_what_is_damaged_or_has_failed_is_told_before_anything_is_asked() -> None:
    failure = Failure(0, "12345678-9", "Failure", "1 of 2 months failed:\n- 2024-01: gone\nrun it")
    look = LandingLook(_GAMES, {"2024-01": None}, {"2024-01": failure}, None)

    assert look.at("2024-01") == (State.FAILED, "run 12345678: 2024-01: gone")
    assert _at("2024-01", "a file is missing") is State.DAMAGED
    assert _at("2024-01", None) is State.MISSING
