"""Forgetting a person: first in the landing zone, then in the warehouse, then in the marts.

Every step can be killed and done again. Each finds by itself what there is left to do, so nothing
hangs on what an earlier run has come to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.sql_models import Mart, build
from pipelines_project.forget import landed as forget_landed
from pipelines_project.forget import loaded as forget_loaded
from pipelines_project.forget import rows as subject_rows
from pipelines_project.forget.subject import Subject
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.checks.tables import is_loaded
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse

Places = dict[str, dict[str, int]]
"""By table and month, or by mart, how many rows of the person are where."""


@dataclass(frozen=True)
class Forgetting:
    """Where a person is forgotten.

    Attributes:
        component: one of the source's.
        value: what the person is called.
        landing: the landing zone.
        warehouse: the warehouse.
        tables: those that have a `subject`.
        marts: the models over them, each after those that it reads.
    """

    component: MonthlySource
    value: str
    landing: LandingZone
    warehouse: Warehouse
    tables: Sequence[Table]
    marts: Sequence[Mart]

    @property
    def subjects(self) -> list[tuple[Table, Subject]]:
        """The tables, and what stands in each for the person."""
        return [(table, Subject(table.subject or "", self.value)) for table in self.tables]

    def check_columns(self) -> None:
        """Refuse a column that no landed month of its table has, and that would find nobody.

        Raises:
            dagster.Failure: names table and column.
        """
        for table, subject in self.subjects:
            places = [table.place(self.landing, month) for month in self._months(table)]
            has_column = (subject.column in subject_rows.columns(place) for place in places)
            if places and not any(has_column):
                raise dg.Failure(
                    f"no month of {table.source}/{table.name} has a column {subject.column!r}: "
                    "correct the table's subject",
                    allow_retries=False,
                )

    def look(self) -> Places:
        """Return where the person has rows, and how many."""
        kept = self.component.kept_answers(self.value)
        found: Places = {"answers of the API": {"kept": kept}}
        for table, subject in self.subjects:
            for month in self._months(table):
                place = table.place(self.landing, month)
                found[f"{table.name} {month}"] = subject_rows.counts(place, subject)
        with self.warehouse.connect() as connection:
            for table, subject in self.subjects:
                held = forget_loaded.counts(connection, table.source, table.name, subject)
                for month, rows in held.items():
                    found.setdefault(f"{table.name} {month}", Counter())["warehouse"] = rows
            for mart in self.marts:
                held = [
                    forget_loaded.counts(connection, mart.schema, mart.name, subject).total()
                    for subject in self._told_by_marts()
                ]
                found[f"{mart.schema}.{mart.name}"] = {"rows": sum(held)}
        return {where: dict(rows) for where, rows in found.items() if any(rows.values())}

    def forget(self) -> Iterator[dg.AssetMaterialization]:
        """Remove the rows, and yield what was landed, loaded and built anew by it."""
        self.component.forget_answers(self.value)
        for table, subject in self.subjects:
            yield from self._forget(table, subject)
        with self.warehouse.connect() as connection:
            for table in self.tables:
                forget_loaded.rewrite(connection, table.source, table.name)
        for mart in self.marts:
            # One that was never built holds nothing.
            if is_loaded(self.warehouse, mart.schema, mart.name):
                metadata = build(self.warehouse, mart.source, mart.model)
                yield dg.AssetMaterialization(mart.key, metadata=metadata)
        with self.warehouse.connect() as connection:
            forget_loaded.overwrite_free_blocks(connection)

    def _forget(self, table: Table, subject: Subject) -> Iterator[dg.AssetMaterialization]:
        landed = []
        for month in self._months(table):
            place = table.place(self.landing, month)
            if metadata := forget_landed.forget(self.landing, place, subject):
                landed.append(month)
                yield dg.AssetMaterialization(table.landing_key, partition=month, metadata=metadata)
        with self.warehouse.connect(self.landing) as connection:
            loaded = forget_loaded.forget(connection, self.landing, table, subject, landed)
        for month, load in loaded.items():
            metadata = {"dagster/partition_row_count": load.rows, "load_id": load.load_id}
            yield dg.AssetMaterialization(table.warehouse_key, partition=month, metadata=metadata)

    def _months(self, table: Table) -> list[str]:
        return self.landing.months_with_files(table.source, table.name)

    def _told_by_marts(self) -> list[Subject]:
        """Return what stands for the person in a mart too.

        A column that is its table's key tells there only what the row is.
        """
        return [subject for table, subject in self.subjects if table.key != (subject.column,)]
