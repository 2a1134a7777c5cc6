"""The code location: everything under `defs/`."""

import atexit
import gc
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
    # What is imported here lives as long as the process. To look for garbage among it, again and
    # again and once more at the end, is a fifth of the time of a short run.
    gc.disable()
    try:
        return load()
    finally:
        gc.enable()
        gc.freeze()
        atexit.register(gc.freeze)
