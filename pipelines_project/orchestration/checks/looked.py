"""What a check of months looks at, and how it says where its truth does not hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.checks.loaded_table import LoadedTable
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.table import Table

# A re-run may delete the files between the listing and the reading.
read_again_if_deleted = retry(
    retry=retry_if_exception_type(duckdb.IOException),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(multiplier=0.1, max=2),
    reraise=True,
)

Connect = Callable[[], duckdb.DuckDBPyConnection]
"""Opens the warehouse where a step asks for it first, and gives the same connection after that."""

Wrong = dict[str, str]
"""By month, or whatever else a check tells apart, why its truth does not hold there."""


@dataclass(frozen=True)
class Looked:
    """What a check looks at: months of a table, where they are landed, and where loaded."""

    table: Table
    months: list[str]
    landing: LandingZone
    connect: Connect

    def month(self, month: str) -> LandedMonth:
        """Return one of the months in the landing zone."""
        return self.table.month(self.landing, month)

    def where(self, tell: Callable[[LandedMonth], str]) -> Wrong:
        """Return what is told of each month, without the months of which nothing is.

        A month whose load is damaged tells what is wrong with it, and the command that lands it
        again.
        """
        found = {month: _told(self.table, self.month(month), tell) for month in self.months}
        return {month: text for month, text in found.items() if text}

    def never_loaded(self) -> Wrong:
        """Return the months that are landed, where nothing was ever loaded of the table."""
        landed = [month for month in self.months if self.month(month).current_load()]
        return dict.fromkeys(landed, "nothing was ever loaded")

    def loaded(self) -> LoadedTable:
        """Return what the warehouse has of the table, to be asked about it."""
        return LoadedTable(self.connect(), self.table)


def _told(table: Table, month: LandedMonth, tell: Callable[[LandedMonth], str]) -> str:
    try:
        return tell(month)
    except FileNotFoundError:
        # Another run has landed the month since it was listed.
        return _told(table, month, tell)
    except LandingError as error:
        return f"{error}:\n{materialize_commands(landing_key(table), [month.month])}"


def example(table: Table, values: Mapping[str, object]) -> str:
    """Return values of a row as the end of a sentence, by column; never whom the row is about."""
    shown = [str(value) for column, value in values.items() if column != table.subject]
    return f", for example {', '.join(shown)}" if shown else ""
