"""The whole code location with its landing zone in an S3 bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    MARTS,
    WAREHOUSE,
    CodeLocation,
    code_location,
)
from pipelines_project_tests.landings import rows_of
from pipelines_project_tests.object_store import Gate

pytestmark = pytest.mark.stack

PLAYER = "someone-to-forget"
TABLE = ("chess", "games")
MONTH, OTHER = "2024-02", "2024-01"


@pytest.fixture
def zone(store: Gate) -> LandingZone:
    """A landing zone in a bucket of its own."""
    return LandingZone(url=f"s3://{store.bucket()}/landing")


@contextmanager
def _chess(folder: Path, zone: LandingZone, players: str) -> Iterator[CodeLocation]:
    with code_location(folder, CHESS_PLAYERS=players, LANDING_URL=zone.url) as location:
        yield replace(location, landing=zone)


def test_months_are_landed_loaded_tidied_and_restored(zone: LandingZone, tmp_path: Path) -> None:
    place = zone.month(*TABLE, MONTH)
    with _chess(tmp_path, zone, "hikaru,erik") as chess:
        assert chess.materialize(f"{OTHER}...{MONTH}").result.success
        first = place.current_load()
        again = chess.materialize(MONTH, keep_loads=1, land_unchanged=True)
        assert again.materialized()[MONTH]["stale_files_deleted"] == 0
        assert len(place.listing().committed) == 2

        assert chess.restore(MONTH, load_id=first).result.success
        assert chess.tidy(MONTH).result.success

        assert len(place.listing().files) == 1
        run = chess.materialize(f"{OTHER}...{MONTH}", WAREHOUSE, *MARTS)
        assert run.result.success, run.error
        rows = 2 * GAMES_PER_MONTH
        assert chess.rows_by_month() == {OTHER: rows, MONTH: rows}
        failed = [name for name, check in chess.check().items() if not check.passed]
        assert failed == ["current_month_is_fresh"]
        assert [*tmp_path.glob("**/*.parquet")] == []


def test_a_player_is_forgotten(zone: LandingZone, tmp_path: Path) -> None:
    with _chess(tmp_path, zone, f"hikaru,{PLAYER}") as chess:
        assert chess.materialize(MONTH).result.success
        assert chess.materialize(MONTH, keep_loads=1, land_unchanged=True).result.success
    op = {"config": {"player": PLAYER, "dry_run": False}}
    with _chess(tmp_path, zone, "hikaru") as chess:
        job = chess.defs.resolve_job_def("chess_forget")

        run = chess.run(job, config={"ops": {"chess_forget_rows": op}})

        assert run.result.success, run.error
        assert chess.rows_by_month() == {MONTH: GAMES_PER_MONTH}
    players = {row["player"] for row in rows_of(zone, zone.month(*TABLE, MONTH).current_files())}
    assert players == {"hikaru"}
    assert len(zone.month(*TABLE, MONTH).listing().files) == 1


def test_the_ops_of_a_month_ask_twelve_times(
    store: Gate, zone: LandingZone, tmp_path: Path
) -> None:
    with _chess(tmp_path, zone, "hikaru,erik") as chess:
        assert chess.materialize(MONTH, LANDING).result.success
        store.clear()

        run = chess.materialize(MONTH, LANDING, land_unchanged=True)

        assert run.materialized()[MONTH]["stale_files_deleted"] == 2
        # The checks ask after the last deletion.
        last = max(i for i, asked in enumerate(store.asked) if asked.startswith("DELETE"))
        assert last + 1 == 12, store.asked
