"""The job that restores: a kept load is the current one again, in Dagster's eyes too."""

import json
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import read_record
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    WAREHOUSE,
    CodeLocation,
)
from pipelines_project_tests.landings import rows_of, tree

pytestmark = pytest.mark.stack

MONTH = "2024-02"


@pytest.fixture
def keeping(chess: CodeLocation) -> CodeLocation:
    """The source with one kept load a month."""
    return chess.with_attributes(keep_loads=1)


def _place(location: CodeLocation) -> LandedMonth:
    return location.landing.month("chess", "games", MONTH)


def _land_twice(location: CodeLocation, *keys: str) -> tuple[str, str]:
    """Land the month with both players and then with one, and return both load ids."""
    assert location.materialize(MONTH, LANDING, *keys).result.success
    fewer = location.with_attributes(keep_loads=1, players="erik")
    assert fewer.materialize(MONTH, LANDING, *keys).result.success
    new, old = _place(location).listing().committed
    return old, new


def _players(location: CodeLocation) -> set[str]:
    rows = rows_of(
        location.landing, location.landing.month("chess", "games", MONTH).current_files()
    )
    return {row["player"] for row in rows}


def test_a_kept_load_is_whole_and_of_more_the_oldest_goes(keeping: CodeLocation) -> None:
    runs = [keeping.materialize(MONTH, LANDING) for _ in range(3)]

    loads = [run.materialized()[MONTH]["load_id"] for run in runs]
    place = _place(keeping)
    assert place.listing().committed == [loads[2], loads[1]]
    assert place.listing().files.keys() == {*loads[1:]}
    record = read_record(place.fs, place.record_path(loads[1]))
    assert record
    assert sum(file.rows for file in record.files) == 2 * GAMES_PER_MONTH
    assert runs[2].checks()["no_stale_files"].passed


def test_a_damaged_kept_load_is_refused_with_the_command_that_lands_the_month_again(
    keeping: CodeLocation,
) -> None:
    keeping.materialize(MONTH, LANDING)
    keeping.materialize(MONTH, LANDING)
    place = _place(keeping)
    current, old = place.listing().committed
    _, data = place.files_of_load(old)
    Path(data).write_bytes(b"cut")

    run = keeping.restore(MONTH, load_id=old)

    assert f"load {old} is not what was committed" in run.error
    assert f"{data} has 3 bytes, not" in run.error
    assert f"--select 'key:\"{LANDING}\"+' --partition {MONTH}" in run.error
    assert place.listing().newest == current


def test_a_kept_load_is_the_current_one_again_with_the_same_rows(keeping: CodeLocation) -> None:
    rows = "select * exclude (_dlt_load_id) from chess.games order by all"
    keeping.materialize(MONTH)
    before = keeping.warehouse.rows(rows)
    fewer = keeping.with_attributes(keep_loads=1, players="erik")
    assert fewer.materialize(MONTH).result.success
    replaced, old = _place(keeping).listing().committed
    assert _players(keeping) == {"erik"}

    run = keeping.restore(MONTH, load_id=old)

    assert run.result.success, run.error
    new, *kept = _place(keeping).listing().committed
    assert kept == [replaced]
    metadata = run.materialized(LANDING)[MONTH]
    assert (metadata["restored_from"], metadata["load_id"]) == (old, new)
    assert metadata["dagster/partition_row_count"] == 2 * GAMES_PER_MONTH
    assert _players(keeping) == {"erik", "hikaru"}
    loaded = keeping.materialize(MONTH, WAREHOUSE)
    assert loaded.result.success
    assert keeping.warehouse.rows(rows) == before
    checks = keeping.check()
    assert all(check.passed for name, check in checks.items() if "fresh" not in name)


def test_what_was_undone_can_be_undone(keeping: CodeLocation) -> None:
    old, replaced = _land_twice(keeping)

    assert keeping.restore(MONTH, load_id=old).result.success
    assert keeping.restore(MONTH, load_id=replaced).result.success

    assert _players(keeping) == {"erik"}


def test_automation_loads_what_was_restored(keeping: CodeLocation) -> None:
    old, _ = _land_twice(keeping, WAREHOUSE)
    first = dg.evaluate_automation_conditions(keeping.defs, keeping.instance)
    assert keeping.restore(MONTH, load_id=old).result.success

    then = dg.evaluate_automation_conditions(keeping.defs, keeping.instance, cursor=first.cursor)

    key = dg.AssetKey.from_user_string(WAREHOUSE)
    assert then.get_requested_partitions(key) == {MONTH}


def test_without_a_load_id_the_kept_loads_are_listed(keeping: CodeLocation) -> None:
    old, _ = _land_twice(keeping)
    before = tree(Path(keeping.landing.url))

    run = keeping.restore(MONTH)

    assert not run.result.success
    assert f"- {old}, landed at 20" in run.error
    newest = json.dumps({"table": "games", "load_id": old})
    assert f"chess_restore_month --partition {MONTH} --config '{newest}'" in run.error
    assert f"{2 * GAMES_PER_MONTH} rows" in run.error
    assert tree(Path(keeping.landing.url)) == before


def test_a_table_that_is_not_there_is_refused(keeping: CodeLocation) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="tables of chess: games; got"):
        keeping.restore(MONTH, table="../games")


def test_a_source_that_keeps_no_loads_says_so(chess: CodeLocation) -> None:
    chess.materialize(MONTH, LANDING)

    run = chess.restore(MONTH)

    assert "None is kept because keep_loads of chess is 0: set it in defs.yaml" in run.error


def test_the_launchpad_begins_with_what_lists_the_kept_loads(keeping: CodeLocation) -> None:
    old, _ = _land_twice(keeping)

    run = keeping.run(keeping.defs.resolve_job_def("chess_restore_month"), MONTH)

    assert f"- {old}, landed at 20" in run.error


def test_the_job_has_months_and_the_pool_of_the_landing(chess: CodeLocation) -> None:
    job = chess.defs.resolve_job_def("chess_restore_month")

    assert isinstance(job.partitions_def, dg.TimeWindowPartitionsDefinition)
    assert [node.definition.pool for node in job.nodes] == ["chess_api"]  # type: ignore[attr-defined]
