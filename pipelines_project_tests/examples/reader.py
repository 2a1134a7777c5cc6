"""A reader who follows a page's commands in a checkout of their own."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).parents[2]
# A block of commands, or of what the sentence before it says to save as a file.
_BLOCK = re.compile(r"```console\n(.*?)```|as `([\w./]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
_STAYS = "# leave it running"
_COPIED = (
    *("pipelines_project", "pipelines_project_tests", "examples"),
    *(".dlt", "Makefile", "constraints.txt", "pyproject.toml", "workspace.yaml"),
)
_UNWANTED = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository, and a shell's settings in it."""

    folder: Path
    settings: Mapping[str, str]

    def follow(self, page: str) -> str:
        """Do what a page says in order, and return what the commands that end have printed.

        A block that is to be left running is a terminal of its own; the `export` lines that it
        prints are pasted in front of the others.
        """
        text = (ROOT / page).read_text(encoding="utf-8")
        blocks = [commands or _saving(*saved) for commands, *saved in _BLOCK.findall(text)]
        servers = [block for block in blocks if _STAYS in block]
        others = [block for block in blocks if _STAYS not in block]
        with _left_running(self, servers) as exports:
            return self.run("\n".join([*exports, *others]))

    def run(self, commands: str) -> str:
        """Run commands until one fails, which fails the test, and return what they printed."""
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-20_000:]
        return done.stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the warehouse answers."""
        file = self.folder / "data" / "warehouse.duckdb"
        with duckdb.connect(str(file), read_only=True) as connection:
            return connection.execute(query).fetchall()


def checkout(folder: Path) -> Checkout:
    """Copy what is run into a folder, beside the environment that runs the tests."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_UNWANTED)
        else:
            shutil.copy(source, folder)
    (folder / "data" / "dagster").mkdir(parents=True)
    shutil.copy(ROOT / "data" / "dagster" / "dagster.yaml", folder / "data" / "dagster")
    _link_environment(folder / ".venv")
    # An editable installation leads to the repository; this leads to the copy.
    settings = {**os.environ, "PYTHONPATH": str(folder)}
    for name in ("DAGSTER_HOME", "LANDING_URL", "WAREHOUSE_URL", "RAW_URL"):
        settings.pop(name, None)
    return Checkout(folder, settings)


def _link_environment(folder: Path) -> None:
    """Give a checkout the environment that runs the tests, as one that is up to date for make."""
    folder.mkdir()
    for part in (ROOT / ".venv").iterdir():
        if not part.name.startswith("."):
            (folder / part.name).symlink_to(part.resolve())
    (folder / ".installed").touch()


def _saving(file: str, text: str) -> str:
    """Return the command that saves a text, which an editor does for a person."""
    return f"mkdir -p {Path(file).parent}\ncat > {file} <<'END OF FILE'\n{text}END OF FILE\n"


@contextmanager
def _left_running(place: Checkout, blocks: Sequence[str]) -> Iterator[list[str]]:
    """Run each block in a process group of its own, and give the lines to be pasted."""
    running = list[subprocess.Popen[str]]()
    try:
        exports = list[str]()
        for block in blocks:
            server = subprocess.Popen(
                ["bash", "-c", block],
                cwd=place.folder,
                env=place.settings,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            running.append(server)
            exports += _exports(server)
        yield exports
    finally:
        for server in running:
            os.killpg(server.pid, signal.SIGTERM)
            server.communicate(timeout=30)


def _exports(server: subprocess.Popen[str]) -> list[str]:
    """Return the settings that a server prints, which another line ends."""
    assert server.stdout is not None
    lines = list[str]()
    for line in server.stdout:
        if not line.startswith("export "):
            break
        lines.append(line.rstrip())
    assert lines, f"the server printed no setting, and ended with {server.poll()}"
    return lines
