"""Gathering all that the page shows, from the landing zone, the warehouse and the runs' history."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.mart import Mart
from pipelines_project.months import month_of
from pipelines_project.report.history import NOTHING_KNOWN, AssetHistory, History
from pipelines_project.report.months import landed_months, month_states
from pipelines_project.report.persons import names_with_persons
from pipelines_project.report.relations import Relation, mart_relation, table_relation
from pipelines_project.report.shown import MartReport, Report, TableReport
from pipelines_project.sql_text import quoted
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import MONTH_COLUMN
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.ledger import held_loads

# A page is no place for charts of hundreds of columns.
_CHARTS = 12
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|FLOAT|DOUBLE|DECIMAL")
_HIDDEN = "its text may name a person: see the run"


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
            return MartReport(mart, relation, None, {}, known, problem=problem)

    def _mart(self, mart: Mart) -> MartReport:
        has_persons = mart.full_name in self._persons
        relation = mart_relation(self._connection, mart, has_persons=has_persons)
        history = self._of(f"marts/{mart.source}/{mart.name}", mart.full_name)
        rows = self._rows(f"select count(*) from {mart.table}") if relation.columns else [(None,)]
        months: dict[str, int] = {}
        measures: dict[str, dict[str, float | None]] = {}
        if any(column.name == MONTH_COLUMN for column in relation.columns):
            names = [c.name for c in relation.columns if _NUMBER.match(c.type)][:_CHARTS]
            taken = ", ".join(["count(*)", *(f"avg({quoted(name)})" for name in names)])
            query = f"select {MONTH_COLUMN}, {taken} from {mart.table} group by 1 order by 1"
            found = {str(month): values for month, *values in self._rows(query) if month}
            months = {month: values[0] for month, values in found.items()}
            measures = {
                name: {month: values[place] for month, values in found.items()}
                for place, name in enumerate(names, start=1)
            }
        return MartReport(mart, relation, rows[0][0], months, history, measures)

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
