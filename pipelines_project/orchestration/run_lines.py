"""A run that is followed as it goes on: a line for each thing it says, and a bar in a terminal."""

import logging
from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from tqdm import tqdm

from pipelines_project.orchestration.table_assets import asset_of_step

FOLLOWED = "followed"
"""What the run config of a followed run names as its logger."""

# What it says of each step after one that has failed; the closing table has them all.
_OF_DAGSTER = "Dependencies for step"

_LOG = logging.getLogger(f"{__name__}.{FOLLOWED}")
_LOG.setLevel(logging.INFO)
_LOG.propagate = False


followed_logger = dg.LoggerDefinition(
    lambda _: _LOG, description="Hands what a run says to whoever follows it in this process."
)


@contextmanager
def followed(keys: Collection[dg.AssetKey], months: Collection[str], total: int) -> Generator[None]:
    """Print what the runs of this process say of their assets, while they go on.

    The bar is drawn on a terminal alone, so that the log of a CI job has lines and nothing else.

    Args:
        keys: of the assets.
        months: those that are made.
        total: how many parts the bar has: months of assets, and assets that have none.
    """
    # On stderr, so that stdout can be kept in a file.
    with tqdm(total=total, unit="month", disable=None, leave=False, dynamic_ncols=True) as bar:
        handler = _Lines(keys, months, bar)
        _LOG.addHandler(handler)
        try:
            yield
        finally:
            _LOG.removeHandler(handler)


class _Lines(logging.Handler):
    """Prints each record as a line, and moves the bar by those that tell of another month."""

    def __init__(
        self, keys: Collection[dg.AssetKey], months: Collection[str], bar: "tqdm[Any]"
    ) -> None:
        super().__init__(logging.INFO)
        self._names = {key.to_python_identifier(): key.to_user_string() for key in keys}
        self._months, self._bar = months, bar
        self._told = set[tuple[str, str]]()

    def emit(self, record: logging.LogRecord) -> None:
        """Print what the project itself says; what Dagster says of its steps is in the run."""
        said = record.__dict__["dagster_meta"]
        if said["dagster_event"] or said["orig_message"].startswith(_OF_DAGSTER):
            return
        step = said["step_key"] or ""
        asset = self._names.get(asset_of_step(step), step)
        text = f"{asset} {said['orig_message']}".strip()
        self._bar.write(text if record.levelno < logging.WARNING else f"{record.levelname} {text}")
        month = said["orig_message"][:7]
        part = (asset, month if month in self._months else "")
        if part not in self._told:
            self._told.add(part)
            self._bar.update()
