"""The checks of an asset share a step, and no check takes another's result away."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.components.chess import ChessSource
from pipelines_project.landing.errors import LandingError
from pipelines_project.orchestration.checks.looked import Looked, Wrong
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.checks.one_step import monthly_checks
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk
from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation, Run
from pipelines_project_tests.freshdesk_location import both, freshdesk_location, warehouse_key

_CHECKS = {
    "landing__chess__games_checks": {
        "no_stale_files",
        "landed_files_are_intact",
        "current_month_is_fresh",
    },
    "warehouse__chess__games_checks": {"games_have_unique_keys", "warehouse_rows_match_landing"},
}


def _evaluated(run: Run) -> dict[str, set[str]]:
    """Return the names of the checks that each step has evaluated."""
    found = dict[str, set[str]]()
    for event in run.result.all_events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            name = event.asset_check_evaluation_data.check_name
            found.setdefault(event.step_key or "", set()).add(name)
    return found


def test_all_checks_of_an_asset_are_one_step(chess: CodeLocation) -> None:
    run = chess.materialize("2024-01", LANDING, WAREHOUSE)

    assert run.result.success
    assert _evaluated(run) == _CHECKS


@pytest.mark.stack
def test_one_check_is_executed_without_the_others_of_its_step(chess: CodeLocation) -> None:
    assert chess.materialize("2024-01", LANDING, WAREHOUSE).result.success
    key = dg.AssetCheckKey(dg.AssetKey.from_user_string(WAREHOUSE), "games_have_unique_keys")
    job = dg.define_asset_job("one_check", dg.AssetSelection.checks(key))
    defs = dg.Definitions.merge(chess.defs, dg.Definitions(jobs=[job]))

    run = chess.run(defs.resolve_job_def("one_check"))

    assert run.checks().keys() == {"games_have_unique_keys"}


@pytest.mark.stack
def test_checks_of_a_step_open_the_warehouse_once(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chess.materialize("2024-01", LANDING, WAREHOUSE).result.success
    opened = list[str]()
    connect = type(chess.warehouse).connect

    def counted(self: object) -> object:
        opened.append("once")
        return connect(self)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(type(chess.warehouse), "connect", counted)
    checks = chess.check()

    assert checks.keys() == set().union(*_CHECKS.values())
    assert opened == ["once"]


def test_a_check_without_a_result_takes_none_from_the_others(
    chess: CodeLocation, instance: dg.DagsterInstance
) -> None:
    [table] = ChessSource(players="hikaru", contact="tests@example.com").monthly_tables()

    def check(name: str, wrong: Callable[[Looked], Wrong]) -> MonthlyCheck:
        return MonthlyCheck(table, dg.AssetKey("games"), name, "A truth.", wrong)

    def refuse(_looked: Looked) -> Wrong:
        raise LandingError("the store is away")

    def break_off(_looked: Looked) -> Wrong:
        raise RuntimeError("a mistake")

    checks = monthly_checks(
        [check("refused", refuse), check("broken", break_off), check("sound", lambda _: {})]
    )
    job = dg.define_asset_job("checks", dg.AssetSelection.checks(*checks))
    resources = {"landing": chess.landing, "warehouse": chess.warehouse}
    defs = dg.Definitions(
        [dg.AssetSpec("games")], jobs=[job], asset_checks=checks, resources=resources
    )

    result = defs.resolve_job_def("checks").execute_in_process(
        instance=instance, raise_on_error=False
    )

    run = Run(result, instance)
    assert not result.success
    assert {name: each.passed for name, each in run.checks().items()} == {"sound": True}
    assert run.error.startswith("games refused: the store is away")
    assert "games:broken: a mistake" in run.log("ERROR")


@pytest.mark.stack
def test_a_list_that_fails_keeps_tickets_only_from_the_check_that_reads_it(
    tmp_path: Path,
) -> None:
    desk = MadeUpHelpDesk(
        tickets_per_month=5, first_month="2024-01", as_of=datetime(2024, 6, 1, tzinfo=UTC)
    )
    with freshdesk_location(tmp_path, desk) as location:
        location.faults.answer_always("groups", Response("no such list", 404))

        run = location.materialize("2024-01", *both("tickets", "groups"))

    tickets = dg.AssetKey.from_user_string(warehouse_key("tickets"))
    found = run.result.get_asset_check_evaluations()
    assert {each.check_name for each in found if each.asset_key == tickets} == {
        "tickets_have_unique_ids",
        "tickets_were_updated_in_their_month",
        "warehouse_rows_match_landing",
    }
