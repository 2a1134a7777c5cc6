"""What it takes until Dagster knows the definitions, and which modules that time goes to."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from benchmarks import measure
from benchmarks.case import Case, Contender, Figures
from benchmarks.commands import ROOT, dagster

_LOAD = "from pipelines_project.definitions import defs; defs()"
_MODULES_SHOWN = 25
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( *)([\w.]+)")


def _validate(_: None, _place: Path) -> Figures:
    return dagster(["definitions", "validate", "-m", "pipelines_project.definitions"], {})


def _python(code: str) -> Contender[None]:
    command = [sys.executable, "-c", code]
    return Contender(lambda _, _place: measure.command(command, ROOT, os.environ))


def slowest_imports(code: str = _LOAD) -> Sequence[str]:
    """Return the modules that take longest to import, with what they import in turn."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [
        (int(own), int(total), name)
        for own, total, _, name in map(re.Match.groups, _IMPORT.finditer(run.stderr))
    ]
    found.sort(key=lambda each: each[1], reverse=True)
    lines = [f"{t / 1000:8.0f} {o / 1000:8.0f}  {name}" for o, t, name in found[:_MODULES_SHOWN]]
    return ["   total      own  module (ms, while imports are traced)", *lines]


LOAD_TIME = Case(
    name="load_time",
    what="`dagster definitions validate`, loading the definitions alone, and what that imports.",
    unit="times",
    sizes={1: 5},
    prepared=lambda _size, _folder: nullcontext(),
    contenders={
        "validate": Contender(_validate),
        "definitions": _python(_LOAD),
        "import dagster": _python("import dagster"),
        "import dlt": _python("import dlt"),
        "python": _python(""),
    },
    details=slowest_imports,
)
