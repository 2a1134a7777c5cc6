"""Every text that fails a step: which table, what happened, what was left, and what to do."""

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from fsspec.implementations.local import LocalFileSystem
from starlette.responses import PlainTextResponse

import pipelines_project
from pipelines_project.forget.forgetting import Forgetting
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.orchestration import late_run
from pipelines_project.orchestration.checks.frame import Looked
from pipelines_project.orchestration.month_mart_asset import month_mart_asset
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project_tests.code_location import (
    LANDING,
    WAREHOUSE,
    CodeLocation,
    Run,
)
from pipelines_project_tests.landings import ids_ago, write_load
from pipelines_project_tests.marts.month_tables import MonthTables

MONTH = "2024-02"
# What makes a text fail a step. Those that only pass on a text of their caller's are no sites.
_FAILING = {"dg.Failure", "told_plainly", "refuse_failed"}
_PASSING_ON = {"told_plainly", "refuse_failed"}
_LEFT = re.compile(r"[Nn]othing was|unchanged|Not rebuilt|as it was|is restored|landed whole")
_COMMAND = re.compile(
    r"^ +((?:dagster asset materialize|python -m pipelines_project\.run_job) .*)$", re.MULTILINE
)
_FRAME = re.compile(r'File "(.*)", line (\d+)')


def _spots(node: ast.AST) -> Iterator[range]:
    """Yield the lines of what makes a text fail its step within a node, in their order."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.FunctionDef) and each.name in _PASSING_ON:
            continue
        if isinstance(each, ast.With):
            # Who leaves a `with` of several comes from the last that was entered.
            header = range(each.lineno, (each.items[-1].context_expr.end_lineno or 0) + 1)
            yield from (header for item in each.items for _ in _spots(item))
            yield from _spots(ast.Module(each.body, []))
            continue
        if isinstance(each, ast.Call) and ast.unparse(each.func) in _FAILING:
            yield range(each.lineno, (each.end_lineno or each.lineno) + 1)
        yield from _spots(each)


@cache
def _sites() -> dict[str, tuple[Path, range]]:
    """Return every place that fails a step, by its module and its number there."""
    root = Path(pipelines_project.__file__).parent
    texts = {path: path.read_text() for path in sorted(root.rglob("*.py"))}
    return {
        f"{path.stem} {number}": (path, lines)
        for path, text in texts.items()
        if any(f"{name}(" in text for name in _FAILING)
        for number, lines in enumerate(_spots(ast.parse(text)), start=1)
    }


def _reached(run: Run) -> set[str]:
    """Return the places that the failures of a run have passed through."""
    failures = run.result.filter_events(lambda event: event.is_step_failure)
    errors = [each.step_failure_data.error for each in failures]
    stack = "\n".join(line for error in errors if error for line in error.stack)
    frames = [(Path(file), int(line)) for file, line in _FRAME.findall(stack)]
    return {
        name
        for name, (path, lines) in _sites().items()
        if any(path == file and line in lines for file, line in frames)
    }


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
_PROVOKED: dict[str, tuple[Callable[[Place], Run], str]] = {
    "frame 1": (_check_without_a_result, _GAMES),
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


def test_every_place_that_fails_a_step_is_among_those_that_are_provoked() -> None:
    assert _PROVOKED.keys() == _sites().keys()


@pytest.mark.parametrize("site", _PROVOKED)
def test_a_step_that_fails_tells_which_table_what_was_left_and_the_command_that_goes_on(
    chess: CodeLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    provoke, which = _PROVOKED[site]

    run = provoke(Place(chess, monkeypatch, tmp_path))

    assert site in _reached(run)
    assert re.search(which, run.error, re.DOTALL)
    assert _LEFT.search(run.error)
    commands = [shlex.split(command) for command in _COMMAND.findall(run.error)]
    assert commands
    for command in commands:
        _check_command(chess, command)
    assert "Traceback" not in run.error


def _check_command(chess: CodeLocation, command: list[str]) -> None:
    """Check that Dagster has what the command names, and takes its config."""
    if command[0] == "dagster":
        dg.AssetSelection.from_string(command[command.index("--select") + 1])
        return
    job = chess.defs.resolve_job_def(command[command.index("pipelines_project.run_job") + 1])
    config = json.loads(command[-1]) if "--config" in command else {}
    ops = {node.name: {"config": config} for node in job.nodes} if config else {}
    assert dg.validate_run_config(job, {"ops": ops})
