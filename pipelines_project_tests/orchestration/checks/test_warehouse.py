"""Each check passes where its truth holds, and fails naming the months where it does not."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines_project.months import month_of
from pipelines_project_tests.code_location import (
    LANDING,
    WAREHOUSE,
    CodeLocation,
    code_location,
)
from pipelines_project_tests.landings import ids_ago, write_load

UNIQUE = "games_have_unique_keys"
MATCH = "warehouse_rows_match_landing"
NO_STALE = "no_stale_files"
INTACT = "landed_files_are_intact"
FRESH = "current_month_is_fresh"

OLD_MONTHS = ["2024-01", "2024-02"]
NOW = month_of(datetime.now(UTC))
_TWICE = ("one", "two")


def _write(location: CodeLocation, month: str, load_id: str) -> None:
    rows = [{"player": "erik", "url": url} for url in ("one", "two", "three")]
    write_load(location.landing.month("chess", "games", month), load_id, [rows])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two old months and the current one, landed and loaded as they should be."""
    folder = tmp_path_factory.mktemp("loaded")
    with code_location(folder) as location:
        for month in (*OLD_MONTHS, NOW):
            _write(location, month, *ids_ago(60))
        for months in ("2024-01...2024-02", NOW):
            assert location.materialize(months, WAREHOUSE).result.success
    return folder


@pytest.fixture
def sound(loaded: Path, tmp_path: Path) -> Iterator[CodeLocation]:
    """A copy of those months."""
    shutil.copytree(loaded, tmp_path, dirs_exist_ok=True)
    with code_location(tmp_path) as location:
        yield location


def _said(check: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: value.value for name, value in check.metadata.items()}


@pytest.mark.stack
def test_alone_they_pass_where_all_is_sound_and_cover_every_landed_month(
    sound: CodeLocation,
) -> None:
    checks = sound.check()

    assert {name: check.passed for name, check in checks.items()} == dict.fromkeys(
        (UNIQUE, MATCH, NO_STALE, INTACT, FRESH), True
    )
    months = {"wrong": {}, "months": [*OLD_MONTHS, NOW]}
    assert [_said(checks[name]) for name in (UNIQUE, MATCH, NO_STALE, INTACT)] == [months] * 4
    assert _said(checks[FRESH]) == {"wrong": {}, "months": [NOW]}
    assert checks[FRESH].description == f"Holds for {NOW}."


@pytest.mark.stack
def test_rows_with_the_same_key_are_found(sound: CodeLocation) -> None:
    with sound.warehouse.connect() as connection:
        connection.execute(
            "insert into chess.games select * from chess.games "
            f"where month = '2024-02' and url in {_TWICE}"
        )

    checks = sound.check()

    assert not checks[UNIQUE].passed
    # Not whose the rows are.
    (said,) = _said(checks[UNIQUE])["wrong"].items()
    assert said in [("2024-02", f"2 rows too many, for example {url}") for url in _TWICE]
    assert checks[UNIQUE].description == ": ".join(said)


@pytest.mark.stack
def test_rows_that_the_warehouse_lacks_or_has_too_many_are_found(sound: CodeLocation) -> None:
    with sound.warehouse.connect() as connection:
        connection.execute("delete from chess.games where month = '2024-01' and url = 'one'")
        connection.execute("insert into chess.games (month, player) values ('2024-02', 'erik')")

    checks = sound.check()

    assert not checks[MATCH].passed
    assert _said(checks[MATCH])["wrong"] == {
        "2024-01": "3 rows landed, 2 in the warehouse",
        "2024-02": "3 rows landed, 4 in the warehouse",
    }
    assert checks[MATCH].description == (
        "2024-01: 3 rows landed, 2 in the warehouse\n2024-02: 3 rows landed, 4 in the warehouse"
    )
    assert checks[UNIQUE].passed


def test_a_month_that_was_never_loaded_does_not_match_what_is_landed(chess: CodeLocation) -> None:
    _write(chess, "2024-01", *ids_ago(60))

    checks = chess.check()

    assert _said(checks[MATCH])["wrong"] == {"2024-01": "3 rows landed, 0 in the warehouse"}
    assert checks[UNIQUE].passed


def test_stale_files_are_found(sound: CodeLocation) -> None:
    _write(sound, "2024-01", *ids_ago(30))
    stale = sound.landing.month("chess", "games", "2024-01").stale_files()

    check = sound.check()[NO_STALE]

    assert not check.passed
    assert _said(check)["wrong"] == {"2024-01": ", ".join(stale)}
    assert len(stale) == 2

    sound.tidy("2024-01")
    assert sound.check()[NO_STALE].passed


@pytest.mark.stack
def test_loads_that_the_source_keeps_are_not_stale(sound: CodeLocation) -> None:
    _write(sound, "2024-01", *ids_ago(30))
    keeping = sound.with_attributes(keep_loads=1)
    assert keeping.check()[NO_STALE].passed

    _write(sound, "2024-01", *ids_ago(20))
    assert not keeping.check()[NO_STALE].passed


@pytest.mark.stack
def test_a_current_month_that_was_landed_too_long_ago_is_not_fresh(chess: CodeLocation) -> None:
    landed = datetime.now(UTC) - timedelta(hours=1)
    _write(chess, NOW, str(landed.timestamp()))

    checks = {
        hours: chess.with_attributes(fresh_within_hours=hours).check()[FRESH] for hours in (0.5, 2)
    }

    assert {hours: check.passed for hours, check in checks.items()} == {0.5: False, 2: True}
    assert _said(checks[0.5])["wrong"] == {NOW: f"last landed: {landed}"}
    # A backfill of old months runs the check too, and does not fail for it.
    assert checks[0.5].severity is dg.AssetCheckSeverity.WARN


@pytest.mark.stack
def test_a_backfill_of_an_old_month_does_not_make_the_current_one_fresh(
    chess: CodeLocation,
) -> None:
    source = chess.with_attributes(fresh_within_hours=1 / 60)

    check = source.materialize("2024-01", LANDING).checks()[FRESH]

    assert not check.passed
    assert _said(check) == {"wrong": {NOW: "last landed: never"}, "months": [NOW]}


@pytest.mark.stack
@pytest.mark.parametrize("months", ["2024-01", "2024-01...2024-01", "2024-01...2024-02"])
def test_in_a_run_they_cover_the_months_of_the_run(sound: CodeLocation, months: str) -> None:
    with sound.warehouse.connect() as connection:
        connection.execute(f"delete from chess.games where month = '{NOW}'")

    checks = sound.materialize(months, LANDING, WAREHOUSE).checks()

    covered = ["2024-01", "2024-02"][: 1 + months.endswith("...2024-02")]
    for name in (UNIQUE, MATCH, NO_STALE):
        assert checks[name].passed
        assert _said(checks[name])["months"] == covered


@pytest.mark.stack
def test_a_failing_check_does_not_stop_the_run(chess: CodeLocation) -> None:
    _write(chess, "2024-01", *ids_ago(60))

    run = chess.materialize("2024-01", keep_loads=1)

    assert run.result.success
    assert not run.checks()[NO_STALE].passed
    assert run.checks()[NO_STALE].severity is dg.AssetCheckSeverity.ERROR
    assert run.materialized(WAREHOUSE)["2024-01"]["skipped"] is False


def test_a_damaged_month_is_named_by_every_check_with_the_command_that_lands_it_again(
    sound: CodeLocation,
) -> None:
    [file] = Path(sound.landing.url).glob("chess/games/month=2024-02/*.parquet")
    file.write_bytes(file.read_bytes()[:100])

    checks = sound.check()

    for name in (MATCH, NO_STALE, INTACT):
        said = _said(checks[name])["wrong"]
        assert said.keys() == {"2024-02"}
        assert f"{file} has 100 bytes, not" in said["2024-02"]
        assert "--select 'key:\"landing/chess/games\"+' --partition 2024-02" in said["2024-02"]
