"""What makes each place of the code fail its step, and of what the text must tell."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from fsspec.implementations.local import LocalFileSystem
from starlette.responses import PlainTextResponse

from pipelines_project.forget.forgetting import Forgetting
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.orchestration import late_run
from pipelines_project.orchestration.checks.looked import Looked
from pipelines_project.orchestration.month_mart_asset import month_mart_asset
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project_tests.code_location import LANDING, WAREHOUSE, CodeLocation, Run
from pipelines_project_tests.landings import ids_ago, write_load
from pipelines_project_tests.marts.month_tables import MonthTables

MONTH = "2024-02"


@dataclass(frozen=True)
class Place:
    """Where a step is made to fail."""

    chess: CodeLocation
    patch: pytest.MonkeyPatch
    folder: Path

    def write(self, *urls: str, seconds_ago: float = 60) -> LandedMonth:
        """Land games without asking anybody."""
        place = self.chess.landing.month("chess", "games", MONTH)
        (load_id,) = ids_ago(seconds_ago)
        write_load(place, load_id, [[{"player": "erik", "url": url} for url in urls]])
        return place

    def keep(self) -> str:
        """Have a load kept beside the current one, and return its id."""
        self.write("old", seconds_ago=90)
        return self.write("new").listing().committed[1]

    def break_warehouse(self) -> None:
        Path(self.chess.warehouse.url).write_text("no database" * 1000)

    def delete_nothing(self) -> None:
        """Let the storage refuse to delete."""

        def rm_file(_fs: Any, path: str) -> None:
            raise PermissionError(13, "Permission denied", path)

        self.patch.setattr(LocalFileSystem, "rm_file", rm_file)

    def run(self, job: str, op: str, **config: Any) -> Run:
        found = self.chess.defs.resolve_job_def(job)
        return self.chess.run(found, config={"ops": {op: {"config": config}}})

    def forget(self, player: str) -> Run:
        return self.run("chess_forget", "chess_forget_rows", player=player, dry_run=False)

    def mart(self, sql: str, header: str = "incremental: month", **warehouse: str) -> Run:
        """Build a mart over a table `demo.a` that was loaded."""
        tables = MonthTables(replace(self.chess.warehouse, **warehouse), self.folder)
        tables.load("a", "n integer", MONTH, [(2,)])
        asset = month_mart_asset(
            tables.mart(sql, "lower", header), [], monthly_partitions("2024-01")
        )
        result = dg.materialize(
            [asset],
            instance=self.chess.instance,
            partition_key=MONTH,
            resources={"warehouse": tables.warehouse},
            raise_on_error=False,
        )
        return Run(result, self.chess.instance)


def _source_that_cannot_begin(place: Place) -> Run:
    return place.chess.with_attributes(contact="").materialize(MONTH, LANDING)


def _month_that_is_not_landed(place: Place) -> Run:
    place.chess.faults.answer_always("games/2024/02", PlainTextResponse("?"))
    place.patch.setattr("pipelines_project.orchestration.land_op.MONTH_ATTEMPTS", 1)
    return place.chess.materialize(MONTH, LANDING)


def _month_that_is_landed_and_not_tidied(place: Place) -> Run:
    place.write("old")
    place.delete_nothing()
    return place.chess.materialize(MONTH, LANDING)


def _month_that_a_job_does_not_tidy(place: Place) -> Run:
    place.keep()
    place.delete_nothing()
    return place.chess.tidy(MONTH)


def _warehouse_that_is_none(place: Place) -> Run:
    place.write("one")
    place.break_warehouse()
    return place.chess.materialize(MONTH, WAREHOUSE)


def _month_that_is_not_loaded(place: Place) -> Run:
    place.write("twice", "twice")
    return place.chess.materialize(MONTH, WAREHOUSE)


def _check_without_a_result(place: Place) -> Run:
    place.write("one")
    checks = "pipelines_project.orchestration.checks.warehouse"

    def refuse(_looked: Looked) -> dict[str, int]:
        raise duckdb.IOException("disk is gone")

    place.patch.setattr(f"{checks}._loaded_rows", refuse)
    return place.chess.materialize(MONTH, WAREHOUSE)


def _mart_of_bad_sql(place: Place) -> Run:
    return place.mart("select month, nowhere from demo.a")


def _mart_over_nothing(place: Place) -> Run:
    return place.mart("select month, n from demo.b")


def _mart_that_is_not_published(place: Place) -> Run:
    return place.mart("select month, n from demo.a", published_url="/dev/null/marts")


def _late_run(place: Place) -> Run:
    later = datetime.now(UTC) + timedelta(hours=26)
    place.patch.setattr(late_run, "_now", lambda: later)
    return place.chess.restore(MONTH, load_id=place.keep())


def _plan_of_nothing(place: Place) -> Run:
    return place.run("plan_backfill", "plan_months", months="yesterday")


def _versions_that_are_not_applied(place: Place) -> Run:
    place.break_warehouse()
    return place.run("chess_apply_versions", "chess_apply_pending_versions")


def _versions_that_are_not_applied_before_rebuilding(place: Place) -> Run:
    place.break_warehouse()
    return place.run("chess_rebuild_warehouse", "chess_rebuild_tables", table="games")


def _table_that_is_not_rebuilt(place: Place) -> Run:
    place.write("twice", "twice")
    return place.run("chess_rebuild_warehouse", "chess_rebuild_tables", table="games")


def _load_that_is_not_kept(place: Place) -> Run:
    place.keep()
    return place.chess.restore(MONTH)


def _kept_load_that_is_damaged(place: Place) -> Run:
    old = place.keep()
    (data,) = [path for path in place.write("new").files_of_load(old) if path.endswith("parquet")]
    Path(data).write_bytes(b"cut")
    return place.chess.restore(MONTH, load_id=old)


def _month_that_is_restored_and_not_tidied(place: Place) -> Run:
    old = place.keep()
    place.delete_nothing()
    return place.chess.restore(MONTH, load_id=old)


def _forgetting_nobody(place: Place) -> Run:
    return place.forget("../nobody")


def _forgetting_who_comes_again(place: Place) -> Run:
    return place.forget("erik")


def _forgetting_without_a_warehouse(place: Place) -> Run:
    place.write("one")
    place.break_warehouse()
    return place.forget("somebody")


def _forgetting_who_is_there_after_all(place: Place) -> Run:
    place.patch.setattr(Forgetting, "look", lambda _: {f"games {MONTH}": {"current load": 1}})
    place.patch.setattr(Forgetting, "forget", lambda _: [])
    return place.forget("somebody")


# Each place of the code that fails a step, what makes it do so, and of what it must tell.
_GAMES = rf"chess[./]games\b.*\b{MONTH}\b"
PROVOKED: dict[str, tuple[Callable[[Place], Run], str]] = {
    "monthly_check 1": (_check_without_a_result, _GAMES),
    "delete_stale_files_op 1": (_month_that_is_landed_and_not_tidied, _GAMES),
    "delete_stale_files_op 2": (_month_that_a_job_does_not_tidy, _GAMES),
    "forget_job 1": (_forgetting_nobody, "chess_forget: '../nobody'"),
    "forget_job 2": (_forgetting_who_comes_again, "chess_forget: 'erik'"),
    "forget_job 3": (_forgetting_without_a_warehouse, "chess_forget: "),
    "forget_job 4": (_forgetting_who_is_there_after_all, f"chess_forget: .*games {MONTH}"),
    "land_op 1": (_source_that_cannot_begin, _GAMES),
    "land_op 2": (_month_that_is_not_landed, _GAMES),
    "late_run 1": (_late_run, f"chess_restore_month: .*{MONTH}"),
    "mart_asset 1": (_mart_of_bad_sql, f"demo_marts.lower has of {MONTH}"),
    "mart_asset 2": (_mart_that_is_not_published, f"demo_marts.*lower.*{MONTH}"),
    "mart_asset 3": (_mart_over_nothing, f"demo_marts.lower has of {MONTH}"),
    "plan_job 1": (_plan_of_nothing, "plan_backfill: 'yesterday'"),
    "rebuild_job 1": (_versions_that_are_not_applied_before_rebuilding, "chess_rebuild_warehouse"),
    "rebuild_job 2": (_table_that_is_not_rebuilt, _GAMES),
    "restore_month_job 1": (_kept_load_that_is_damaged, _GAMES),
    "restore_month_job 2": (_load_that_is_not_kept, _GAMES),
    "restore_month_job 3": (_month_that_is_restored_and_not_tidied, _GAMES),
    "versions_job 1": (_versions_that_are_not_applied, "chess_apply_versions"),
    "warehouse_asset 1": (_warehouse_that_is_none, _GAMES),
    "warehouse_asset 2": (_month_that_is_not_loaded, _GAMES),
}
