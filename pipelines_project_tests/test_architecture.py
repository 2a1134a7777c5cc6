"""The engine knows no Dagster, and runs as the documents show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[1]
_ENGINE = ("sources", "landing", "warehouse", "marts", "forget", "report", "alerts", "table")
_IMPORT_ALL = """
import importlib, pkgutil, sys

def dagster():
    return sorted(name for name in sys.modules if name.split(".")[0].startswith("dagster"))

for name in sys.argv[1:]:
    package = importlib.import_module(f"pipelines_project.{name}")
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
        # A command is above the engine, though it has the package's name.
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
            assert not dagster(), f"{module.name} imports {dagster()}"
    print(name, dagster())
"""
_EXTRACT = """
import dlt
import sys

def extract(month, fetch):
    return dlt.resource([{"id": 1, "value": 10}, {"id": 2, "value": 9.7}], name="events")
"""
_PRINT = """
print(landed.rows, loaded.rows, [name for name in sys.modules if name.startswith("dagster")])
"""


def _run(code: str, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_packages_of_the_engine_import_without_dagster(tmp_path: Path) -> None:
    imported = _run(_IMPORT_ALL, tmp_path, *_ENGINE)

    assert imported.splitlines() == [f"{name} []" for name in _ENGINE]


def test_the_engine_runs_from_a_script_as_the_documents_show(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "data").mkdir()

    assert _run(_EXTRACT + block + _PRINT, tmp_path) == "2 2 []"
