"""The command `python -m pipelines_project plan`: what a backfill would do, before it does it."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from dotenv import load_dotenv

from pipelines_project import definitions
from pipelines_project.broken_sources import told
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.defs.resources import landing_zone
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import checked_month, months_between
from pipelines_project.orchestration.plan import Selected, plan
from pipelines_project.orchestration.plan_text import plan_lines
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key
from pipelines_project.sources.http.api_calls import ApiCalls


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan of each selected table; return 1 if there is none."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    # As Dagster's own commands do: what the file says wins.
    load_dotenv(Path(".env"), override=True)
    if not os.environ.get("DAGSTER_HOME"):
        parser.error("DAGSTER_HOME is not set: export DAGSTER_HOME=$PWD/data/dagster")
    zone, calls = landing_zone(), ApiCalls()
    try:
        tables = _selected(asked.select, zone, None if asked.offline else calls)
    except Exception as error:
        sys.exit(told(error))
    if not tables:
        sys.exit(f"{asked.select!r} selects no table that is landed or loaded")
    with dg.DagsterInstance.get() as instance:
        for table in tables:
            print("\n".join(plan_lines(plan(instance, zone, table, asked.months))), flush=True)
    print(f"Nothing was changed; the sources were asked {calls.count} requests.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project plan",
        description="Tell what a backfill would do, what it takes and what it deletes; change "
        "nothing.",
    )
    parser.add_argument("--select", required=True, help="the assets, such as group:chess")
    parser.add_argument(
        "--months", required=True, type=_months, help="2024-01, or 2019-01...2024-12"
    )
    parser.add_argument(
        "--offline", action="store_true", help="do not ask the sources what has changed"
    )
    return parser


def _months(text: str) -> list[str]:
    first, _, last = text.partition("...")
    try:
        month, last = checked_month(first), checked_month(last or first)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if month > last:
        raise argparse.ArgumentTypeError(f"{first} is later than {last}")
    return months_between(month, last)


def _selected(selection: str, zone: LandingZone, calls: ApiCalls | None) -> list[Selected]:
    """Return the tables of which assets are selected.

    Args:
        selection: as Dagster writes it.
        zone: the landing zone.
        calls: counts what the sources are asked; None to ask nothing.

    Raises:
        Exception: the selection or a source cannot be read.
    """
    with warnings.catch_warnings():
        # Dagster warns of what it does itself.
        warnings.simplefilter("ignore")
        tree = dg.ComponentTree.for_project(Path(definitions.__file__).parent)
        sources = tree.get_all_components(of_type=MonthlySource)
        chosen = dg.AssetSelection.from_string(selection)
        keys = chosen.resolve(definitions.defs().resolve_asset_graph())
    found: list[Selected] = []
    for source in sources:
        for table in source.monthly_tables():
            lands, loads = landing_key(table) in keys, warehouse_key(table) in keys
            if lands or loads:
                asker = source.asker(table, calls, zone) if calls and lands else None
                found.append(Selected(table, lands, loads, asker))
    return found


if __name__ == "__main__":
    sys.exit(main())
