"""Gathering all that the page shows, from the landing zone, the warehouse and the runs' history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build import Mart
from pipelines_project.months import month_of
from pipelines_project.report.curves import Curve, curve
from pipelines_project.report.history import NOTHING_KNOWN, AssetHistory, Check, History
from pipelines_project.report.months import URGENT, MonthState, State, landed_months, month_states
from pipelines_project.report.persons import names_with_persons
from pipelines_project.report.relations import Relation, mart_relation, table_relation
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import MONTH_COLUMN
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.ledger import held_loads

_HIDDEN = "its text may name a person: see the run"


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
        problem: why it cannot be read, if it cannot.
    """

    mart: Mart
    relation: Relation
    rows: int | None
    months: Mapping[str, int]
    history: AssetHistory
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


def gather(
    zone: LandingZone,
    warehouse: Warehouse,
    tables: Sequence[Table],
    marts: Sequence[Mart],
    history: History,
) -> Report:
    """Return what there is now.

    What an error of a table says is left out where the table may hold persons, whom it may name.

    Args:
        zone: the landing zone.
        warehouse: the warehouse.
        tables: all that are landed.
        marts: all that are built.
        history: of their assets; none where runs are not kept.
    """
    now, persons = datetime.now(UTC), names_with_persons(tables, marts)
    tables = sorted(tables, key=lambda table: (table.source, table.name))
    landed = [landed_months(zone, table) for table in tables]
    with warehouse.connect() as connection:
        gathering = _Gathering(connection, persons, history, month_of(now))
        of_tables = [
            gathering.table(table, months) for table, months in zip(tables, landed, strict=True)
        ]
        of_marts = [
            gathering.mart(mart)
            for mart in sorted(marts, key=lambda mart: (mart.source, mart.name))
        ]
    return Report(now, of_tables, of_marts)


class _Gathering:
    """What every table and mart is looked at with."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        persons: Collection[str],
        history: History,
        this_month: str,
    ) -> None:
        self._connection = connection
        self._persons = persons
        self._history = history
        self._this_month = this_month
        self._held = held_loads(connection)

    def table(self, table: Table, landed: Mapping[str, LoadRecord | str]) -> TableReport:
        name = f"{table.source}.{table.name}"
        landing, loading = (
            self._of(f"{layer}/{table.source}/{table.name}", name)
            for layer in ("landing", "warehouse")
        )
        held = self._held.get((table.source, table.name), {})
        states = month_states(table, landed, held, landing, loading, self._this_month)
        has_persons = name in self._persons
        relation = table_relation(self._connection, table, has_persons=has_persons)
        return TableReport(table, relation, states, landing, loading)

    def mart(self, mart: Mart) -> MartReport:
        """Return what there is of a mart; a view of what is gone must not hide all the others."""
        try:
            return self._mart(mart)
        except duckdb.Error as error:
            known = self._of(f"marts/{mart.source}/{mart.name}", mart.full_name)
            relation = Relation(mart.schema, mart.name, mart.model.description, [], None, False)
            problem = f"it cannot be read: {type(error).__name__}"
            return MartReport(mart, relation, None, {}, known, problem)

    def _mart(self, mart: Mart) -> MartReport:
        has_persons = mart.full_name in self._persons
        relation = mart_relation(self._connection, mart, has_persons=has_persons)
        history = self._of(f"marts/{mart.source}/{mart.name}", mart.full_name)
        rows = self._rows(f"select count(*) from {mart.table}") if relation.columns else [(None,)]
        months: dict[str, int] = {}
        if any(column.name == MONTH_COLUMN for column in relation.columns):
            query = f"select {MONTH_COLUMN}, count(*) from {mart.table} group by all order by 1"
            months = {str(month): count for month, count in self._rows(query) if month}
        return MartReport(mart, relation, rows[0][0], months, history)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def _of(self, asset: str, name: str) -> AssetHistory:
        """Return what is known of an asset, without texts that may name a person."""
        known = self._history.get(asset, NOTHING_KNOWN)
        if name not in self._persons:
            return known
        error = known.last_error
        return replace(
            known,
            failed={month: replace(each, text=_HIDDEN) for month, each in known.failed.items()},
            last_error=error and replace(error, text=_HIDDEN),
        )
