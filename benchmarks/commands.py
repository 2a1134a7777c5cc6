"""The commands that are measured: the project's own, and scripts of the plain way."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import measure
from benchmarks.case import Figures
from benchmarks.server import FIRST_MONTH
from pipelines_project.months import next_month

ROOT = Path(__file__).parents[1]
_PLAIN = Path(__file__).parent / "plain"


def first_months(count: int) -> list[str]:
    """Return so many months from the first one on that the services know."""
    months = [FIRST_MONTH]
    while len(months) < count:
        months.append(next_month(months[-1]))
    return months


def inherited() -> dict[str, str]:
    """Return the environment without the user's own history of runs."""
    return {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}


def dagster(arguments: Sequence[str], settings: Mapping[str, str]) -> Figures:
    """Run the `dagster` command with settings beside the inherited ones."""
    command = [sys.executable, "-m", "dagster", *arguments]
    return measure.command(command, ROOT, {**inherited(), **settings})


def module(name: str, settings: Mapping[str, str], *arguments: str) -> Figures:
    """Run a module of this project with settings beside the inherited ones."""
    command = [sys.executable, "-m", name, *arguments]
    return measure.command(command, ROOT, {**inherited(), **settings})


def materialize(
    keys: Sequence[str],
    months: Sequence[str],
    settings: Mapping[str, str],
    module: str = "pipelines_project.definitions",
) -> Figures:
    """Materialize a range of months of the assets in one run, as a user types it."""
    selection = " or ".join(f'key:"{key}"' for key in keys)
    arguments = ["-m", module, "--select", selection]
    arguments += ["--partition-range", f"{months[0]}...{months[-1]}"]
    return dagster(["asset", "materialize", *arguments], settings)


def data_settings(folder: Path) -> dict[str, str]:
    """Return the settings that keep landing zone and warehouse below a folder."""
    return {
        "LANDING_URL": str(folder / "landing"),
        "WAREHOUSE_URL": str(folder / "warehouse.duckdb"),
    }


def plain_script(name: str, folder: Path, *arguments: str) -> Figures:
    """Run a script of `plain/` in a folder that is made for it, apart from this project."""
    folder.mkdir()
    # Where dlt keeps a pipeline's state, and its own settings.
    apart = {"DLT_DATA_DIR": str(folder / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = [sys.executable, str(_PLAIN / f"{name}.py"), *arguments]
    return measure.command(command, folder, {**os.environ, **apart})
