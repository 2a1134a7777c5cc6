"""The job that plans a backfill: what it shows in the UI, and that it asks and changes nothing."""

from pathlib import Path

import pytest

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.listing import Listing
from pipelines_project_tests.code_location import LANDING, CodeLocation, Run, code_location


def _plan(chess: CodeLocation, **config: object) -> Run:
    job = chess.defs.resolve_job_def("plan_backfill")
    return chess.run(job, config={"ops": {"plan_months": {"config": config}}})


@pytest.mark.stack
def test_the_plan_is_a_table_in_the_output_and_no_source_is_asked(
    chess: CodeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    chess.materialize("2024-01...2024-02", LANDING)
    chess.faults.requests.clear()
    looks: list[str] = []
    listing = LandedMonth.listing

    def counted(month: LandedMonth) -> Listing:
        looks.append(month.month)
        return listing(month)

    monkeypatch.setattr(LandedMonth, "listing", counted)

    said = _plan(chess, source="chess", table="games", months="2024-01...2024-03").output_metadata

    table, *notes = said["plan"].split("\n\n")
    assert table.splitlines()[2:] == [
        "| chess/games | missing | 1 | 2024-03 |  |",
        "| chess/games | landed, not known to have changed | 2 | 2024-01...2024-02 |  |",
        "| chess/games | landed, not loaded | 2 | 2024-01...2024-02 |  |",
    ]
    assert "- To land 3 months: about " in notes[1]
    assert f"""--select 'key:"{LANDING}"+' --partition 2024-03""" in notes[2]
    assert said["http_requests"] == 0
    assert chess.faults.requests == []
    assert sorted(looks) == ["2024-01", "2024-02", "2024-03"]


def test_the_config_that_the_launchpad_begins_with_plans_every_month_of_every_table(
    chess: CodeLocation,
) -> None:
    job = chess.defs.resolve_job_def("plan_backfill")
    chess.faults.requests.clear()

    said = chess.run(job).output_metadata["plan"]

    assert "| chess/games | missing | " in said
    assert "| 2021-01..." in said
    assert "| freshdesk/tickets | missing | " in said
    assert chess.faults.requests == []


@pytest.mark.stack
def test_the_sources_are_asked_on_request(tmp_path: Path) -> None:
    with code_location(tmp_path, None, True) as chess:
        chess.materialize("2024-01", LANDING)

        said = _plan(chess, source="chess", months="2024-01", ask_sources=True).output_metadata

    assert "| chess/games | unchanged at the source | 1 | 2024-01 |  |" in said["plan"]
    assert said["http_requests"] > 0


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"months": "2024-13"}, "'2024-13' is not a month"),
        ({"months": "2024-02...2024-01"}, "2024-02 is later than 2024-01"),
        ({"source": "chess", "table": "gams"}, "table 'gams' is none of chess: there are games"),
    ],
)
def test_what_makes_no_sense_is_refused_and_says_so(
    chess: CodeLocation, config: dict[str, object], reason: str
) -> None:
    error = _plan(chess, **config).error

    assert reason in error
    assert "Nothing was asked or changed. To plan every month of every table:\n" in error
