"""Every text that fails a step: which table, what happened, what was left, and what to do."""

import json
import re
import shlex
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.orchestration.failing_places import failing_places, reached
from pipelines_project_tests.orchestration.provoked_failures import PROVOKED, Place

_LEFT = re.compile(r"[Nn]othing was|unchanged|Not rebuilt|as it was|is restored|landed whole")
_COMMAND = re.compile(
    r"^ +((?:dagster asset materialize|python -m pipelines_project\.run_job) .*)$", re.MULTILINE
)


def test_every_place_that_fails_a_step_is_among_those_that_are_provoked() -> None:
    assert PROVOKED.keys() == failing_places().keys()


@pytest.mark.stack
@pytest.mark.parametrize("site", PROVOKED)
def test_a_step_that_fails_tells_which_table_what_was_left_and_the_command_that_goes_on(
    chess: CodeLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    provoke, which = PROVOKED[site]

    run = provoke(Place(chess, monkeypatch, tmp_path))

    assert site in reached(run)
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
