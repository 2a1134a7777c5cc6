"""The frame of every check: which months it looks at, and how it says what is wrong.

One evaluation covers the months of its run, or every landed month when it runs by itself. Checks
do not block: the load's transaction has kept bad months out already, and blocking would stop the
good ones.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import duckdb
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import in_words, month_of
from pipelines_project.orchestration.checks.loaded_table import LoadedTable
from pipelines_project.orchestration.checks.month_evaluations import log_months, months_of_run
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.orchestration.table_assets import landing_key
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse

# As many of what is wrong are told in a result's text; its metadata have all.
_TOLD = 10

# A re-run may delete the files between the listing and the reading.
read_again_if_deleted = retry(
    retry=retry_if_exception_type(duckdb.IOException),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(multiplier=0.1, max=2),
    reraise=True,
)


@dataclass(frozen=True)
class Looked:
    """What a check looks at: months of a table, where they are landed, and where loaded."""

    table: Table
    months: list[str]
    landing: LandingZone
    warehouse: Warehouse

    def month(self, month: str) -> LandedMonth:
        """Return one of the months in the landing zone."""
        return self.table.month(self.landing, month)

    def where(self, tell: Callable[[LandedMonth], str]) -> "Wrong":
        """Return what is told of each month, without the months of which nothing is.

        A month whose load is damaged tells what is wrong with it, and the command that lands it
        again.
        """
        found = {month: _told(self.table, self.month(month), tell) for month in self.months}
        return {month: text for month, text in found.items() if text}

    def never_loaded(self) -> "Wrong":
        """Return the months that are landed, where nothing was ever loaded of the table."""
        landed = [month for month in self.months if self.month(month).current_load()]
        return dict.fromkeys(landed, "nothing was ever loaded")

    @contextmanager
    def loaded(self) -> Generator[LoadedTable]:
        """Give what the warehouse has of the table, to be asked about it."""
        with self.warehouse.connect() as connection:
            yield LoadedTable(connection, self.table)


Wrong = Mapping[str, str]
"""By month, or whatever else a check tells apart, why its truth does not hold there."""


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


def monthly_check(
    table: Table,
    asset: dg.AssetKey,
    name: str,
    description: str,
    wrong: Callable[[Looked], Wrong],
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    additional_deps: Sequence[dg.AssetKey] = (),
    only_current_month: bool = False,
) -> dg.AssetChecksDefinition:
    """Return a check of an asset of the table.

    Args:
        table: the table.
        asset: the asset whose check it is.
        name: the truth that it states.
        description: the same as a sentence.
        wrong: tells where the truth does not hold, and why.
        severity: of a failure.
        additional_deps: other assets that it reads.
        only_current_month: whether it looks at the current month, whatever the run's months are.
    """

    @dg.asset_check(
        asset=asset, name=name, description=description, additional_deps=additional_deps
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        months = (
            [month_of(datetime.now(UTC))]
            if only_current_month
            else _months_to_check(context, table, landing)
        )
        again = materialize_commands(asset, months, one_run=not table.months_per_run)
        with told_plainly(
            f"{asset.to_user_string()} {name}",
            f"Nothing was changed, and the check has no result for {in_words(months)}. Execute it "
            f"again on the asset's page, under Checks, or materialize the months again:\n{again}",
        ):
            found = dict(wrong(Looked(table, months, landing, warehouse)))
        result = dg.AssetCheckResult(
            asset_key=asset,
            check_name=name,
            passed=not found,
            severity=severity,
            description=_said(found, months),
            metadata={"wrong": found, "months": months},
        )
        log_months(context, result, found)
        return result

    return check


def _said(wrong: Wrong, months: Sequence[str]) -> str:
    """Return what came of a check as a text: where its truth does not hold, and why."""
    if not wrong:
        return f"Holds for {in_words(months)}." if months else "There is no month to look at."
    told = [f"{where}: {why}" for where, why in wrong.items()]
    others = len(told) - _TOLD
    return "\n".join([*told[:_TOLD], *([f"and {others} more"] if others > 0 else [])])


def _months_to_check(
    context: dg.AssetCheckExecutionContext, table: Table, landing: LandingZone
) -> list[str]:
    """Return the months of the run, or all that are landed if the check runs by itself."""
    return months_of_run(context) or landing.months(table.source, table.name)
