"""The demo: `python -m pipelines_project.demo` lands, loads and models made-up data.

It writes to the landing zone, the warehouse and the Dagster instance that the environment or the
file `.env` names, and shows what came of it. `make demo` sets DAGSTER_HOME.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines_project.command_line import read_settings
from pipelines_project.defs.resources import landing_zone, warehouse
from pipelines_project.demo.child_process import exit_on_signals, run
from pipelines_project.demo.sources import DEMO_SOURCES, DemoSource
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of, previous_month
from pipelines_project.sandbox.server import serving
from pipelines_project.sandbox.services import service_settings, services_app
from pipelines_project.text_table import text_table
from pipelines_project.warehouse.database import Warehouse, WarehouseError

_MONTHS = 3
_LOADED = """
select table_name as "table", count(*) as months, sum(row_count)::bigint as rows
from ledger.loads where source = '{source}'
group by table_name order by table_name
"""


def main(arguments: Sequence[str]) -> None:
    """Run the sources that are named, or all; exit with the reason if one cannot be run."""
    sources = _chosen(arguments)
    read_settings()
    home = os.environ.get("DAGSTER_HOME", "")
    if not (Path(home).is_absolute() and Path(home).is_dir()):
        sys.exit(
            f"DAGSTER_HOME must be the absolute path of a folder, and is {home!r}. `make demo` "
            "sets it to the project's data/dagster"
        )
    exit_on_signals()
    landing, loaded = landing_zone(), warehouse()
    last_months = _last_months()
    app = services_app(help_desk_opened=last_months[0])
    with serving(app) as url:
        print(f"The sandbox answers at {url}.\n", flush=True)
        for source in sources:
            months = source.months or last_months
            try:
                _refuse_real_data(source, landing, loaded, months)
                _materialize(source, url, months)
                _show(source, loaded)
            except (LandingError, WarehouseError) as error:
                sys.exit(f"{source.name}: {error}")
    print(f"Files:      {landing.url}, a folder for each month of a table")
    print(f"Warehouse:  {loaded.url}")
    print("UI:         make dev, then http://127.0.0.1:3000 has these runs in its timeline; what")
    print("            is launched there asks real services, but for local_jsonl")


def _chosen(arguments: Sequence[str]) -> list[DemoSource]:
    names = [source.name for source in DEMO_SOURCES]
    parser = argparse.ArgumentParser(prog="python -m pipelines_project.demo")
    parser.add_argument("source", nargs="*", help=f"of {', '.join(names)}; all if none is named")
    chosen = parser.parse_args(arguments).source or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"the demo has no source {', '.join(unknown)}, only {', '.join(names)}")
    return [source for source in DEMO_SOURCES if source.name in chosen]


def _last_months() -> list[str]:
    months = [month_of(datetime.now(UTC))]
    while len(months) < _MONTHS:
        months.insert(0, previous_month(months[0]))
    return months


def _refuse_real_data(
    source: DemoSource, landing: LandingZone, warehouse: Warehouse, months: Sequence[str]
) -> None:
    if real := source.real_months(landing, warehouse, months):
        sys.exit(
            f"{source.name}: {landing.url} or {warehouse.url} holds data of {', '.join(real)} that "
            "is not the demo's, and would be replaced. Nothing was changed. To see the demo, set "
            "LANDING_URL and WAREHOUSE_URL to other places"
        )


def _materialize(source: DemoSource, url: str, months: Sequence[str]) -> None:
    """Materialize every asset of the source, or exit with what the command wrote."""
    span = f"{months[0]}...{months[-1]}"
    command = ["materialize", "--select", f"group:{source.name}", "--months", span]
    print(f"{source.name}: landing, loading and modelling {span} …", flush=True)
    started = time.monotonic()
    environment = source.environment(os.environ) | service_settings(url)
    # It has been read, and would win over the sandbox's settings if the command read it again.
    environment["PYTHON_DOTENV_DISABLED"] = "1"
    code, output = run([sys.executable, "-m", "pipelines_project", *command], environment)
    if code:
        sys.exit(f"{output}\n{source.name}: failed ({code})")
    print(f"{source.name}: done in {time.monotonic() - started:.0f} s\n", flush=True)


def _show(source: DemoSource, warehouse: Warehouse) -> None:
    """Print what the warehouse has of the source now, with the queries that ask for it."""
    with warehouse.connect() as connection:
        for query in (_LOADED.format(source=source.name), source.sample):
            print(query.strip())
            answer = connection.execute(query)
            names = [name for name, *_ in answer.description or []]
            print(text_table(names, answer.fetchall()))
            print()


if __name__ == "__main__":
    main(sys.argv[1:])
