"""The asset `warehouse/chess/games`: which months a run loads, skips and refuses."""

import json
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation
from pipelines_project_tests.landings import ids_ago, write_load

MONTHS = ("2024-01", "2024-02", "2024-03")


def _write(location: CodeLocation, month: str, load_id: str, *urls: str) -> None:
    rows = [{"player": "erik", "url": url} for url in urls]
    write_load(location.landing.month("chess", "games", month), load_id, [rows])


def test_a_run_loads_its_months_and_the_next_run_skips_them(chess: CodeLocation) -> None:
    loads = dict(zip(MONTHS, ids_ago(30, 20, 10), strict=True))
    for number, (month, load_id) in enumerate(loads.items(), 1):
        _write(chess, month, load_id, *(f"{n}" for n in range(number)))

    for skipped in (False, True):
        run = chess.materialize("2024-01...2024-03", WAREHOUSE)

        names = ("dagster/partition_row_count", "load_id", "skipped")
        assert {
            month: tuple(each[name] for name in names)
            for month, each in run.materialized(WAREHOUSE).items()
        } == {
            month: (rows, load_id, skipped)
            for rows, (month, load_id) in enumerate(loads.items(), 1)
        }
        assert chess.rows_by_month() == {"2024-01": 1, "2024-02": 2, "2024-03": 3}


@pytest.mark.stack
def test_a_loaded_month_tells_the_columns_of_its_table_and_what_holds_it(
    chess: CodeLocation,
) -> None:
    _write(chess, "2024-01", *ids_ago(10), "one")

    for _ in ("loaded", "skipped"):
        run = chess.materialize("2024-01", WAREHOUSE)

        metadata = run.materialized(WAREHOUSE)["2024-01"]
        columns = metadata["dagster/column_schema"].columns
        assert {column.name: column.type for column in columns} == {
            "player": "VARCHAR",
            "url": "VARCHAR",
            "month": "VARCHAR",
        }
        assert [column.name for column in columns if not column.description] == []
        assert metadata["dagster/storage_kind"] == "duckdb"


def test_a_warehouse_that_cannot_be_opened_is_told_with_the_command_that_loads_then(
    chess: CodeLocation,
) -> None:
    _write(chess, "2024-01", *ids_ago(30), "one")
    Path(chess.warehouse.url).write_text("no database" * 1000)

    run = chess.materialize("2024-01", WAREHOUSE)

    first, *_ = run.error.splitlines()
    assert first.startswith(f"{WAREHOUSE}: cannot open the warehouse {chess.warehouse.url}")
    assert "What the warehouse has of 2024-01 is unchanged. Once mended:\n  dag" in run.error


@pytest.mark.stack
def test_a_run_that_waits_for_a_reader_says_so_in_its_log(chess: CodeLocation) -> None:
    _write(chess, "2024-01", *ids_ago(30), "one")
    chess.warehouse.rows("select 1")
    reads = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=True); print(1)"
    command = [sys.executable, "-uc", f"{reads}; time.sleep(1)", chess.warehouse.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        assert reader.stdout.readline()

        run = chess.materialize("2024-01", WAREHOUSE)

    assert run.result.success
    assert any(f"(PID {reader.pid}) to let go of" in line for line in run.log("WARNING"))


def test_only_a_month_that_was_landed_again_is_loaded_again(chess: CodeLocation) -> None:
    for month in MONTHS:
        _write(chess, month, *ids_ago(30), "one")
    chess.materialize("2024-01...2024-03", WAREHOUSE)
    _write(chess, "2024-02", *ids_ago(10), "one", "two")

    run = chess.materialize("2024-01...2024-03", WAREHOUSE)

    skipped = {month: each["skipped"] for month, each in run.materialized(WAREHOUSE).items()}
    assert skipped == {"2024-01": True, "2024-02": False, "2024-03": True}
    assert chess.rows_by_month() == {"2024-01": 1, "2024-02": 2, "2024-03": 1}


@pytest.mark.stack
def test_rows_that_someone_deleted_are_loaded_again(chess: CodeLocation) -> None:
    _write(chess, "2024-01", *ids_ago(30), "one", "two")
    chess.materialize("2024-01", WAREHOUSE)
    with chess.warehouse.connect() as connection:
        connection.execute("delete from chess.games where url = 'one'")

    run = chess.materialize("2024-01", WAREHOUSE)

    assert run.materialized(WAREHOUSE)["2024-01"]["skipped"] is False
    assert chess.rows_by_month() == {"2024-01": 2}


@pytest.mark.stack
def test_a_month_that_cannot_be_loaded_does_not_stop_the_others(chess: CodeLocation) -> None:
    _write(chess, "2024-01", *ids_ago(30), "one", "two")
    _write(chess, "2024-02", *ids_ago(20), "twice", "twice")

    run = chess.materialize("2024-01...2024-03", WAREHOUSE)

    command = "dagster asset materialize -m pipelines_project.definitions --select"
    assert run.error == (
        f"2 of 3 months of {WAREHOUSE} failed:\n"
        "- 2024-02: chess/games 2024-02: rows with the same ('player', 'url'), "
        "for example [('erik', 'twice')]. The source has them twice, or `key` in defs.yaml does "
        "not tell rows apart\n"
        "- 2024-03: chess/games 2024-03 was never landed: land it first\n"
        "What the warehouse has of a failed month is unchanged.\n"
        "2024-02, 2024-03 cannot be loaded as landed now. Make a kept load current with "
        "chess_restore_month, or land again when the source is mended:\n"
        f"  {command} 'key:\"{LANDING}\"+' --partition-range 2024-02...2024-03"
    )
    assert [*run.materialized(WAREHOUSE)] == ["2024-01"]
    assert chess.months_materialized(WAREHOUSE) == {"2024-01"}
    assert chess.rows_by_month() == {"2024-01": 2}


@pytest.mark.stack
def test_an_older_load_replaces_a_newer_one_only_where_the_config_says_so(
    chess: CodeLocation,
) -> None:
    older, ahead = ids_ago(30)[0], str(time.time() + 600)
    _write(chess, "2024-01", older, "one")
    _write(chess, "2024-01", ahead, "one", "two")
    chess.materialize("2024-01", WAREHOUSE)
    chess.tidy("2024-01", discard_load_id=ahead)

    refused = chess.materialize("2024-01", WAREHOUSE)

    assert f"holds load {ahead}, the landing zone only the older {older}" in refused.error
    own = {"ops": {"warehouse__chess__games": {"config": {"replace_newer_load": True}}}}
    assert f"--partition 2024-01 --config-json '{json.dumps(own)}'\n" in refused.error
    assert chess.rows_by_month() == {"2024-01": 2}

    config = {"ops": {"warehouse__chess__games": {"config": {"replace_newer_load": True}}}}
    job = chess.defs.resolve_implicit_global_asset_job_def()
    key = dg.AssetKey.from_user_string(WAREHOUSE)
    run = chess.run(job, "2024-01", assets=[key], config=config)

    assert run.materialized(WAREHOUSE)["2024-01"]["load_id"] == older
    assert chess.rows_by_month() == {"2024-01": 1}
