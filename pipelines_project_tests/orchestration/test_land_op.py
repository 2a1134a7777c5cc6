"""The op `chess_games_land`: what is tried again, how often, and what is said in the end."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response
from tenacity import RetryCallState, wait_random_exponential

from pipelines_project.orchestration import land_op
from pipelines_project.sandbox.faults import half
from pipelines_project_tests.code_location import GAMES_PER_MONTH, LANDING, CodeLocation

_HALF = half(json.dumps({"games": [{"url": "one"}] * 9}).encode())
_MONTH = "erik/games/2024/02"


@pytest.mark.stack
def test_a_month_is_fetched_again_after_a_body_that_was_cut_off(chess: CodeLocation) -> None:
    chess.faults.answer_next(_MONTH, _HALF)

    run = chess.materialize("2024-02", LANDING)

    metadata = run.materialized()["2024-02"]
    assert metadata["dagster/partition_row_count"] == 2 * GAMES_PER_MONTH
    assert metadata["http_requests"] == len(chess.faults.requests) == 6
    (told,) = run.log("WARNING")
    assert re.match(r"2024-02: trying again in [0-9.]+ s \(tried 1 times\): InvalidJSONError", told)
    assert len(chess.landing.month("chess", "games", "2024-02").listing().files) == 1


@pytest.mark.stack
@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (_HALF, 3),
        # The session has tried it three times, and what failed then is not tried three times more.
        (Response(status_code=500), 3),
        (Response(status_code=404), 1),
        (JSONResponse({}), 1),
    ],
    ids=["cut off", "failure", "not found", "no games"],
)
def test_a_month_that_goes_on_failing_is_given_up_after_few_requests(
    chess: CodeLocation, answer: Response, requests: int
) -> None:
    chess.faults.answer_always(_MONTH, answer)

    run = chess.materialize("2024-02...2024-03", LANDING)

    assert len(chess.faults.asked(_MONTH)) == requests
    assert "- 2024-02: " in run.error
    assert [*run.materialized()] == ["2024-03"]


@pytest.mark.stack
def test_attempts_are_spread_by_a_bounded_random_wait(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def recorded(**settings: float) -> Callable[[RetryCallState], float]:
        wait = wait_random_exponential(**settings)

        def record(state: RetryCallState) -> float:
            waits.extend(wait(state) for _ in range(20))
            return 0

        return record

    monkeypatch.setattr(land_op, "wait_random_exponential", recorded)
    chess.faults.answer_always(_MONTH, _HALF)

    chess.materialize("2024-02", LANDING)

    # tenacity asks after the last attempt too, and then does not wait.
    assert len(waits) == 3 * 20
    assert len({*waits}) > 20
    assert 0 <= min(waits) < max(waits[:20]) <= 1 < max(waits) <= 30


@pytest.mark.stack
def test_a_storage_that_refuses_a_month_is_named_and_harms_no_other(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # dlt tries again too, a second apart.
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    # A file where the month's folder should be.
    in_the_way = Path(chess.landing.url) / "chess" / "games" / "month=2024-02"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("in the way")

    run = chess.materialize("2024-01...2024-02", LANDING)

    assert "- 2024-02: " in run.error
    assert "month=2024-02" in run.error
    assert [*run.materialized()] == ["2024-01"]
    assert chess.landing.months("chess", "games") == ["2024-01"]


@pytest.mark.stack
def test_the_config_of_a_run_overrides_what_the_source_says_of_shrinking(
    chess: CodeLocation,
) -> None:
    tolerant = chess.with_attributes(allow_shrink=True)
    tolerant.materialize("2024-02", LANDING)
    chess.faults.answer_always(_MONTH, JSONResponse({"games": []}))

    strict_run = tolerant.materialize("2024-02", LANDING, allow_shrink=False)
    own_run = tolerant.materialize("2024-02", LANDING)

    assert "allow_shrink: true" in strict_run.error
    assert own_run.materialized()["2024-02"]["games_by_player"] == {"hikaru": 20, "erik": 0}


def test_a_missing_contact_is_an_error_of_the_run_that_asks_for_nothing(
    chess: CodeLocation,
) -> None:
    run = chess.with_attributes(contact="").materialize("2024-02", LANDING)

    assert run.error.startswith(
        "landing/chess/games: CHESS_CONTACT must be an e-mail or web address: chess.com answers "
        "403 without one\nNothing was asked, and what was landed of 2024-02 before is unchanged. "
        "Once mended:\n  dagster asset materialize "
    )
    assert chess.faults.requests == []
