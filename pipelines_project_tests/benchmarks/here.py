"""What the benchmarks run in processes of their own, run in this one, which saves their start."""

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest import mock

import dagster as dg

from benchmarks.case import PEAK, Figures
from benchmarks.measure import in_process
from pipelines_project import definitions
from pipelines_project_tests.code_location import range_tags


def run_here(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Figures:
    """Take the place of `measure.command`."""
    _, how, *rest = arguments
    argv = rest if how in ("-m", "-c") else [how, *rest]
    before = Path.cwd()
    # It keeps the definitions that it has loaded, and so the settings of another command.
    sys.modules.pop(definitions.__name__, None)
    os.chdir(folder)
    try:
        with mock.patch.dict(os.environ, environment, clear=True), mock.patch("sys.argv", argv):
            return _measured(lambda: _run(how, argv))
    finally:
        os.chdir(before)


def _run(how: str, argv: Sequence[str]) -> None:
    if how == "-c":
        exec(argv[0], {})
        return
    run = runpy.run_module if how == "-m" else runpy.run_path
    try:
        run(argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{argv} failed ({end.code})") from end


def materialize_here(
    keys: Sequence[str], months: Sequence[str], settings: Mapping[str, str]
) -> Figures:
    """Take the place of `commands.materialize`, whose command is slow even in this process."""

    def work() -> None:
        defs = definitions.load()
        with dg.DagsterInstance.ephemeral() as instance:
            defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
                tags=range_tags(months[0], months[-1]),
            )

    with mock.patch.dict(os.environ, settings):
        return _measured(work)


def _measured(work: object) -> Figures:
    assert callable(work)
    return {**in_process(work), PEAK: 1.0}
