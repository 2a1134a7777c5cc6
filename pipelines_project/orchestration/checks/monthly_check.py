"""A check of an asset with months: which months it looks at, and how it says what is wrong.

One evaluation covers the months of its run, or every landed month when it runs by itself. Checks
do not block: the load's transaction has kept bad months out already, and blocking would stop the
good ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import in_words, month_of
from pipelines_project.orchestration.checks.looked import Connect, Looked, Wrong
from pipelines_project.orchestration.checks.month_evaluations import log_months, months_of_run
from pipelines_project.orchestration.commands import materialize_commands
from pipelines_project.orchestration.refusals import told_plainly
from pipelines_project.table import Table

# As many of what is wrong are told in a result's text; its metadata have all.
_TOLD = 10


@dataclass(frozen=True)
class MonthlyCheck:
    """A truth about months of a table, which is a check of one of its assets.

    Attributes:
        table: the table.
        asset: the asset whose check it is.
        name: the truth that it states.
        description: the same as a sentence.
        wrong: tells where the truth does not hold, and why.
        severity: of a failure.
        additional_deps: other assets that it reads.
        only_current_month: whether it looks at the current month, whatever the run's months are.
    """

    table: Table
    asset: dg.AssetKey
    name: str
    description: str
    wrong: Callable[[Looked], Wrong]
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    additional_deps: tuple[dg.AssetKey, ...] = ()
    only_current_month: bool = False

    @property
    def key(self) -> dg.AssetCheckKey:
        """The asset and the name, by which Dagster knows the check."""
        return dg.AssetCheckKey(self.asset, self.name)

    @property
    def spec(self) -> dg.AssetCheckSpec:
        """What Dagster shows of the check."""
        return dg.AssetCheckSpec(
            self.name,
            asset=self.asset,
            description=self.description,
            additional_deps=self.additional_deps,
        )

    def evaluate(
        self, context: dg.AssetCheckExecutionContext, landing: LandingZone, connect: Connect
    ) -> dg.AssetCheckResult:
        """Return whether the truth holds for the run's months, and log so for each of them.

        Raises:
            dagster.Failure: the landing zone or the warehouse cannot be read; it says what to do.
        """
        months = self._months(context, landing)
        again = materialize_commands(self.asset, months, one_run=not self.table.months_per_run)
        with told_plainly(
            f"{self.asset.to_user_string()} {self.name}",
            f"Nothing was changed, and the check has no result for {in_words(months)}. Execute it "
            f"again on the asset's page, under Checks, or materialize the months again:\n{again}",
        ):
            found = self.wrong(Looked(self.table, months, landing, connect))
        result = dg.AssetCheckResult(
            asset_key=self.asset,
            check_name=self.name,
            passed=not found,
            severity=self.severity,
            description=_said(found, months),
            metadata={"wrong": found, "months": months},
        )
        log_months(context, result, found)
        return result

    def _months(self, context: dg.AssetCheckExecutionContext, landing: LandingZone) -> list[str]:
        """Return the months of the run, or all that are landed if the check runs by itself."""
        if self.only_current_month:
            return [month_of(datetime.now(UTC))]
        return months_of_run(context) or landing.months(self.table.source, self.table.name)


def _said(wrong: Wrong, months: Sequence[str]) -> str:
    """Return what came of a check as a text: where its truth does not hold, and why."""
    if not wrong:
        return f"Holds for {in_words(months)}." if months else "There is no month to look at."
    told = [f"{where}: {why}" for where, why in wrong.items()]
    others = len(told) - _TOLD
    return "\n".join([*told[:_TOLD], *([f"and {others} more"] if others > 0 else [])])
