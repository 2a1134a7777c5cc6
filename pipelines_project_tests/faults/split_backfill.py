"""The chess source alone as a code location, whose backfills are split into runs of months."""

import os

import dagster as dg
from dagster.components.testing.utils import component_defs

from pipelines_project.components.chess import ChessSource
from pipelines_project.defs import resources

MONTHS_PER_RUN = 6


@dg.definitions
def split_backfill() -> dg.Definitions:
    """Return the source with the settings of the environment."""
    source = ChessSource(
        players=os.environ["CHESS_PLAYERS"],
        contact=os.environ["CHESS_CONTACT"],
        api_url=os.environ["CHESS_API_URL"],
        start_month=os.environ["CHESS_START_MONTH"],
        months_per_run=MONTHS_PER_RUN,
    )
    return dg.Definitions.merge(component_defs(component=source), resources.resources())
