"""The command `python -m pipelines_project plan`: what a backfill would do, before it does it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from pipelines_project import definitions
from pipelines_project.broken_sources import told
from pipelines_project.command_line import begin, months
from pipelines_project.defs.plan import plannable
from pipelines_project.defs.resources import landing_zone
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.plan import Selected, plan, selected_tables
from pipelines_project.orchestration.plan_text import plan_lines
from pipelines_project.orchestration.selection import selected_keys
from pipelines_project.sources.http.api_calls import ApiCalls


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan of each selected table; return 1 if there is none."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    begin(parser)
    zone, calls = landing_zone(), ApiCalls()
    try:
        tables = _selected(asked.select, zone, None if asked.offline else calls)
    except ValueError as error:
        parser.error(str(error))
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
        "--months", required=True, type=months, help="2024-01, or 2019-01...2024-12"
    )
    parser.add_argument(
        "--offline", action="store_true", help="do not ask the sources what has changed"
    )
    return parser


def _selected(selection: str, zone: LandingZone, calls: ApiCalls | None) -> list[Selected]:
    """Return the tables of which assets are selected.

    Args:
        selection: as Dagster writes it.
        zone: the landing zone.
        calls: counts what the sources are asked; None to ask nothing.

    Raises:
        ValueError: the selection is none.
        Exception: a source cannot be read.
    """
    # What the definitions are built from is read once; `definitions.defs` would read it again.
    tree = dg.ComponentTree.for_project(Path(definitions.__file__).parent)
    keys = selected_keys(selection, tree.build_defs().get_repository_def())
    return selected_tables(plannable(tree), keys, zone, calls)


if __name__ == "__main__":
    sys.exit(main())
