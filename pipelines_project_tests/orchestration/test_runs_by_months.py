"""Into which runs months are split, and the table that is printed when they have ended."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from starlette.responses import Response

from pipelines_project.months import month_of, months_between
from pipelines_project.orchestration.runs_by_months import (
    closing_rows,
    failed_checks,
    parts,
    tags_of_runs,
)
from pipelines_project_tests.code_location import (
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    range_tags,
)

_KEYS = [dg.AssetKey.from_user_string(key) for key in (WAREHOUSE, LANDING)]
_QUARTER = months_between("2024-01", "2024-03")


def _repository(chess: CodeLocation) -> dg.RepositoryDefinition:
    return chess.defs.get_repository_def()


def test_all_months_are_one_run_and_one_month_is_tagged_as_such(chess: CodeLocation) -> None:
    repository = _repository(chess)

    assert tags_of_runs(repository, _KEYS, _QUARTER) == [range_tags("2024-01", "2024-03")]
    assert tags_of_runs(repository, _KEYS, ["2024-01"]) == [{"dagster/partition": "2024-01"}]


def test_a_source_that_takes_few_months_at_once_has_several_runs(chess: CodeLocation) -> None:
    repository = _repository(chess.with_attributes(months_per_run=2))

    assert tags_of_runs(repository, _KEYS, _QUARTER) == [
        range_tags("2024-01", "2024-02"),
        {"dagster/partition": "2024-03"},
    ]


def test_an_asset_without_months_takes_any(chess: CodeLocation) -> None:
    key = dg.AssetKey.from_user_string(MARTS[0])

    assert tags_of_runs(_repository(chess), [key], ["1999-01"]) == [{}]
    assert tags_of_runs(_repository(chess), [key], None) == [{}]


def test_months_that_are_missing_or_not_there_are_refused_and_named(chess: CodeLocation) -> None:
    repository = _repository(chess)

    with pytest.raises(ValueError, match="name months, such as 2024-01"):
        tags_of_runs(repository, _KEYS, None)
    with pytest.raises(ValueError, match="2020-12 is no month of theirs: 2021-01 to "):
        tags_of_runs(repository, _KEYS, ["2020-12", "2021-01"])
    others = [*_KEYS, dg.AssetKey(["landing", "local_jsonl", "synthetic_data"])]
    with pytest.raises(ValueError, match="select those of one source"):
        tags_of_runs(repository, others, ["2024-01"])


@pytest.mark.stack
def test_the_table_has_what_was_made_and_what_was_not_in_the_order_of_making(
    chess: CodeLocation,
) -> None:
    chess.faults.answer_always("hikaru/games/2024/02", Response(status_code=404))
    run = chess.materialize("2024-01...2024-03")
    entries = chess.instance.all_logs(run.result.run_id)

    rows = closing_rows(parts(_repository(chess), _KEYS, _QUARTER), entries)

    assert [row[:5] for row in rows] == [(LANDING, 2, 0, 1, 80), (WAREHOUSE, 0, 0, 3, 0)]
    assert float(rows[0][5]) > 0


@pytest.mark.stack
def test_a_check_that_does_not_hold_is_told_once_for_all_months(chess: CodeLocation) -> None:
    chess.materialize("2024-01...2024-02")
    with chess.warehouse.connect() as connection:
        connection.execute("delete from chess.games where player = 'erik'")
    chess.check()
    [newest, *_] = chess.instance.get_run_records(limit=1)

    said = [*failed_checks(chess.instance.all_logs(newest.dagster_run.run_id))]

    # The months are long past, so that the newest is not fresh either.
    assert said == [
        f"WARN {LANDING} current_month_is_fresh does not hold: {month_of(datetime.now(UTC))}",
        f"ERROR {WAREHOUSE} warehouse_rows_match_landing does not hold: 2024-01, 2024-02",
    ]
