"""The code location: everything under `defs/`.

A source that does not load is left out, and shown as an asset with a failing check, so that the
others go on. Where `STRICT_DEFINITIONS` is set, as in `make check`, it is an error.
"""

import atexit
import gc
import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dagster as dg


def load() -> dg.Definitions:
    """Load every component and module of the `defs` folder, with the settings as they are now."""
    folder = Path(__file__).parent
    if not os.environ.get("OPENLINEAGE_URL"):
        # Dagster imports dagster-openlineage wherever it is installed, and that warns that events
        # are printed for want of a service. Nothing is: the sensor that sends them is left out.
        logging.getLogger("openlineage.client.client").setLevel(logging.ERROR)
    try:
        loaded = dg.load_from_defs_folder(path_within_project=folder)
        dg.Definitions.validate_loadable(loaded)
    except Exception:
        if os.environ.get("STRICT_DEFINITIONS"):
            raise
        # Here, because what it imports is what takes longest of all, and `defs` below imports that
        # without looking for garbage meanwhile.
        from pipelines_project.broken_sources import without_broken_sources

        return without_broken_sources(folder / "defs")
    return loaded


@dg.definitions
@cache
def defs() -> dg.Definitions:
    """Load them once in a process: Dagster asks seven times for them to materialize an asset."""
    with imported_for_good():
        return load()


@contextmanager
def imported_for_good() -> Generator[None]:
    """Import what lives as long as the process.

    To look for garbage among it, again and again and once more at the end, is a fifth of the time
    of a short run.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
        atexit.register(gc.freeze)
