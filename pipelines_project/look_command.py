"""The command `python -m pipelines_project.sources`: a look before anything is landed."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa

from pipelines_project.broken_sources import told
from pipelines_project.command_line import read_settings
from pipelines_project.components.chosen_folders import project_of
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.look import Look, look
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import checked_month, month_of
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table
from pipelines_project.temporary import working_folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the columns and first rows of a table's month; exit with 1 and the reason if none."""
    asked = _parser().parse_args(arguments)
    read_settings()
    with working_folder() as place:
        try:
            table = _table(asked.defs, asked.table, Path(place))
        except Exception as error:
            sys.exit(told(error))
        try:
            found = _look(table, asked.month, asked.limit)
        except Exception as error:
            cause = root_cause(error)
            sys.exit(f"{type(cause).__name__}: {cause}")
    if not found.columns:
        sys.exit(
            f"{table.source}/{table.name} has no rows in {asked.month}, and declares no column"
        )
    _print(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project.sources",
        description="Show what a month of a table would be, without landing it.",
    )
    parser.add_argument("defs", type=Path, help="the defs.yaml that names the table")
    parser.add_argument("table", help="the table")
    parser.add_argument(
        "--month",
        type=checked_month,
        default=month_of(datetime.now(UTC)),
        help="YYYY-MM; the current month if there is none",
    )
    parser.add_argument("--limit", type=int, default=10, help="the most rows; 10 if there is none")
    return parser


def _table(defs: Path, name: str, place: Path) -> Table:
    """Return the table of a `defs.yaml`.

    Raises:
        ValueError: the file is not there, or names no such table.
    """
    if not defs.is_file():
        raise ValueError(f"{defs} is no file: name the defs.yaml of a source")
    if defs.name != "defs.yaml":
        # Dagster reads no other, and imports the Python files of the folder instead.
        raise ValueError(f"{defs} is not called defs.yaml: put it into a folder of its own as that")
    tree = dg.ComponentTree.for_project(project_of(place, [defs.resolve().parent]))
    sources = tree.get_all_components(of_type=MonthlySource)
    tables = {table.name: table for each in sources for table in each.monthly_tables()}
    if name not in tables:
        there = ", ".join(tables) or "none"
        raise ValueError(f"{defs} names no table {name!r}: there are {there}")
    return tables[name]


def _look(table: Table, month: str, limit: int) -> Look:
    landing = LandingZone(url=dg.EnvVar("LANDING_URL").get_value() or "data/landing")
    extract = table.extractor(ApiCalls(), landing)
    return look(table.month(landing, month), extract, limit, table.column_names)


def _print(found: Look) -> None:
    columns = pa.table(
        {
            "column": [each.name for each in found.columns],
            "type": [each.type for each in found.columns],
            "in_the_source": [each.origin for each in found.columns],
        }
    )
    with duckdb.connect() as connection:
        for table in (columns, found.rows):
            connection.from_arrow(table).show(max_rows=10_000, max_width=200)
    if found.remarks:
        sys.stdout.write(f"{found.remarks}\n")
