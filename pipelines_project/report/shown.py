"""What the page shows of each table and mart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines_project.marts.mart import Mart
from pipelines_project.report.curves import Curve, curve, means
from pipelines_project.report.history import AssetHistory, Check
from pipelines_project.report.months import URGENT, MonthState, State
from pipelines_project.report.relations import Relation
from pipelines_project.table import Table


@dataclass(frozen=True)
class TableReport:
    """A table.

    Attributes:
        table: the table.
        relation: what the warehouse has of it.
        months: what became of each month, in the order of time.
        landing: the history of the asset that lands it.
        loading: that of the asset that loads it.
    """

    table: Table
    relation: Relation
    months: Mapping[str, MonthState]
    landing: AssetHistory
    loading: AssetHistory

    @property
    def checks(self) -> list[Check]:
        """Those of both assets."""
        return [*self.landing.checks, *self.loading.checks]

    @property
    def growth(self) -> Curve | None:
        """The rows of each month that is landed."""
        return curve(self.relation.full_name, {m: each.rows for m, each in self.months.items()})


@dataclass(frozen=True)
class MartReport:
    """A mart.

    Attributes:
        mart: the mart.
        relation: what the warehouse has of it.
        rows: how many it has; None if it was never built.
        months: the rows of each month, if it has a column `month`.
        history: of its asset.
        measures: of each column of numbers its mean in each month.
        problem: why it cannot be read, if it cannot.
    """

    mart: Mart
    relation: Relation
    rows: int | None
    months: Mapping[str, int]
    history: AssetHistory
    measures: Mapping[str, Mapping[str, float | None]] = field(
        default_factory=dict[str, Mapping[str, float | None]]
    )
    problem: str = ""

    @property
    def state(self) -> State:
        """What became of it, the worst of all."""
        if self.problem or self.history.failed:
            return State.FAILED
        if any(not check.passed for check in self.history.checks):
            return State.CHECK_FAILS
        return State.WHOLE if self.rows else State.EMPTY

    @property
    def summary(self) -> str:
        """Its state and its rows in a few words."""
        rows = "never built" if self.rows is None else f"{self.rows:,} rows"
        said = self.state.value if self.state in URGENT else ""
        return ": ".join(filter(None, [said, rows]))

    @property
    def sql(self) -> str:
        """Its file, in which variables have no values: they may be from the environment."""
        return self.mart.model.path.read_text(encoding="utf-8").strip()

    @property
    def growth(self) -> Curve | None:
        """The rows of each month."""
        return curve(self.relation.full_name, self.months)

    @property
    def charts(self) -> list[Curve]:
        """The means of its columns of numbers over the months."""
        found = [means(column, values) for column, values in self.measures.items()]
        return [each for each in found if each]


@dataclass(frozen=True)
class Report:
    """All that the page shows.

    Attributes:
        at: when it was gathered.
        tables: in the order of sources and names.
        marts: in the same order.
    """

    at: datetime
    tables: Sequence[TableReport]
    marts: Sequence[MartReport]
