"""The code location: everything under `defs/`."""

from functools import cache
from pathlib import Path

import dagster as dg


def load() -> dg.Definitions:
    """Load every component and module of the `defs` folder, with the settings as they are now."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)


@dg.definitions
@cache
def defs() -> dg.Definitions:
    """Load them once in a process: Dagster asks seven times for them to materialize an asset."""
    return load()
