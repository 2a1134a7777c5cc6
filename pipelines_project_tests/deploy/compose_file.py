"""The services of `deploy/compose/compose.yaml`."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "compose" / "compose.yaml"
OF_THE_PROJECT = ("code", "webserver", "daemon", "worker", "prepare")
"""The services that are the project's image."""


def services() -> dict[str, dict[str, Any]]:
    """Return what the file says of each service."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
