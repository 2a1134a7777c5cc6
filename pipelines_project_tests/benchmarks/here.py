"""What the benchmarks run in processes of their own, run in this one, which saves their start."""

import os
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import dagster as dg

from benchmarks.case import PEAK, Figures
from benchmarks.measure import in_process
from benchmarks.server import service_app
from pipelines_project import definitions
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.code_location import range_tags


def run_here(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Figures:
    """Take the place of `measure.command`."""
    _, how, *rest = arguments
    argv = rest if how in ("-m", "-c") else [how, *rest]
    before = Path.cwd()
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
    keys: Sequence[str],
    months: Sequence[str],
    settings: Mapping[str, str],
    module: str = definitions.__name__,
) -> Figures:
    """Take the place of `commands.materialize`: the start of its command would be most of it."""

    def work() -> None:
        is_ours = module == definitions.__name__
        defs = definitions.load() if is_ours else runpy.run_module(module)["defs"]
        with dg.DagsterInstance.ephemeral() as instance:
            defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
                tags=range_tags(months[0], months[-1]),
            )

    with mock.patch.dict(os.environ, settings):
        return _measured(work)


@contextmanager
def service_here(name: str, rows_per_month: int) -> Iterator[str]:
    """Take the place of `server.service`."""
    with serving(service_app(name, rows_per_month)) as url:
        yield url


def _measured(work: Callable[[], object]) -> Figures:
    return {**in_process(work), PEAK: 1.0}
