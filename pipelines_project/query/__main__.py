"""The command `python -m pipelines_project.query`: DuckDB's own terminal, with the views made.

It reads parquet files alone, so that it holds no lock and waits for none. What it shows is what was
current when it started.
"""

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from pipelines_project.command_line import read_settings
from pipelines_project.defs.resources import landing_zone, published_url
from pipelines_project.extras import how_to_install
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.open_store import open_store
from pipelines_project.memory import duckdb_budget
from pipelines_project.query.views import (
    LandedTable,
    PublishedMart,
    landed_tables,
    published_marts,
    statements,
)
from pipelines_project.sql_text import literal
from pipelines_project.temporary import working_folder

_LOCAL_ONLY = (
    "the terminal reads a landing zone and published marts on this machine's disk. To read them "
    "elsewhere: docs/report.md"
)


def main(arguments: Sequence[str]) -> int:
    """Start the terminal with more arguments for it, and return its exit code."""
    read_settings()
    if not importlib.util.find_spec("duckdb_cli"):
        sys.exit(f"DuckDB's terminal is not installed: {how_to_install('query')}")
    try:
        script = beginning()
    except (LandingError, ValueError) as error:
        sys.exit(str(error))
    with working_folder() as folder:
        file = Path(folder, "begin.sql")
        spill = f"set temp_directory = {literal(f'{folder}/spilled')};\n"
        file.write_text(spill + script, encoding="utf-8")
        # Ctrl-C breaks off a query of the terminal, and must not end this process before it. An
        # ignored signal would be ignored there too.
        signal.signal(signal.SIGINT, lambda *_: None)
        command = [sys.executable, "-m", "duckdb_cli", "-init", str(file), *arguments]
        return subprocess.call(command)


def beginning() -> str:
    """Return what the terminal does first: settings, views, and a banner.

    Raises:
        LandingError: the landing zone cannot be read.
        ValueError: it, or what is published, is not on this machine's disk.
    """
    zone, published = landing_zone(), open_store(published_url(), "PUBLISHED_URL")
    if not isinstance(zone.fs, LocalFileSystem) or not isinstance(published[0], LocalFileSystem):
        raise ValueError(_LOCAL_ONLY)
    tables, wrong = landed_tables(zone)
    marts = published_marts(Path(published[1]))
    settings = {**duckdb_budget().settings(), "TimeZone": "UTC"}
    return "\n".join(
        [
            *(f"set {name} = {literal(str(value))};" for name, value in settings.items()),
            statements(tables, marts),
            *(f".print {_printed(line)}" for line in banner(tables, marts, wrong)),
            "",
        ]
    )


def banner(
    tables: Sequence[LandedTable], marts: Sequence[PublishedMart], wrong: Sequence[str]
) -> Iterator[str]:
    """Yield the lines that are shown first."""
    yield f"Landed:    {', '.join(table.full_name for table in tables) or 'nothing yet'}"
    yield f"Published: {', '.join(mart.full_name for mart in marts) or 'nothing yet'}"
    yield from (f"Left out:  {each}" for each in wrong)
    if tables:
        first = tables[0]
        yield "Try:"
        yield "  from months order by landed_at desc limit 10;"
        yield f"  from {first.full_name} where month = '{first.newest}' limit 10;"
        yield f"  summarize {marts[0].full_name if marts else first.full_name};"
    yield "The columns: describe <table>;  To leave: .quit"


def _printed(text: str) -> str:
    """Return the text as one argument of a command of the terminal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
