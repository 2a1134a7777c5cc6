"""Forgetting a person: first in the landing zone, then in the warehouse, then in the marts.

Every step can be killed and done again. Each finds by itself what there is left to do, so nothing
hangs on what an earlier run has come to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from pipelines_project.forget import landed as forget_landed
from pipelines_project.forget import loaded as forget_loaded
from pipelines_project.forget import remains
from pipelines_project.forget import rows as subject_rows
from pipelines_project.forget.subject import Subject
from pipelines_project.glue.publication import publication_of
from pipelines_project.landing.landed import Landed
from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build import Built, build
from pipelines_project.marts.build_months import BuiltMonths, build_months
from pipelines_project.marts.mart import Mart
from pipelines_project.names import quarantine_table
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import is_loaded
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.load_month import Loaded

Places = dict[str, dict[str, int]]
"""By table and month, or by mart, how many rows of the person are where."""


class UnknownColumnError(Exception):
    """No landed month has the column that is to tell whose a row is."""


@dataclass(frozen=True)
class LandedAnew:
    """A month that was landed without the person's rows."""

    table: Table
    month: str
    landed: Landed
    rows_forgotten: int


@dataclass(frozen=True)
class LoadedAnew:
    """A month that was loaded without them."""

    table: Table
    month: str
    loaded: Loaded


@dataclass(frozen=True)
class BuiltAnew:
    """A mart that was built without them."""

    mart: Mart
    built: Built | BuiltMonths


@dataclass(frozen=True)
class Forgetting:
    """Where a person is forgotten.

    Attributes:
        value: what the person is called.
        landing: the landing zone.
        warehouse: the warehouse.
        tables: those that have a `subject`.
        marts: the models over them, each after those that it reads.
    """

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
            UnknownColumnError: names table and column.
        """
        for table, subject in self.subjects:
            months = [table.month(self.landing, month) for month in self._months(table)]
            has_column = (subject.column in subject_rows.columns(month) for month in months)
            if months and not any(has_column):
                raise UnknownColumnError(
                    f"no month of {table.source}/{table.name} has a column {subject.column!r}: "
                    "correct the table's subject"
                )

    def look(self) -> Places:
        """Return where the person has rows, and how many."""
        found: Places = {}
        for table, subject in self.subjects:
            for month in self._months(table):
                held = subject_rows.counts(table.month(self.landing, month), subject)
                found[f"{table.name} {month}"] = dict(held)
        with self.warehouse.connect() as connection:
            for table, subject in self.subjects:
                held = forget_loaded.counts(connection, table.source, table.name, subject)
                for month, rows in held.items():
                    found.setdefault(f"{table.name} {month}", {})["warehouse"] = rows
                refused = forget_loaded.quarantined(connection, table, subject)
                for month, rows in refused.items():
                    found.setdefault(f"{table.name} {month}", {})["warehouse quarantine"] = rows
            told = self._told_by_marts(connection)
            for mart in self.marts:
                total = Counter[str]()
                for subject in told:
                    total += forget_loaded.counts(connection, mart.schema, mart.name, subject)
                found[f"{mart.schema}.{mart.name}"] = {"rows": total.total()}
                if published := sum(self._published(mart, subject) for subject in told):
                    found[f"{mart.schema}.{mart.name}"]["published"] = published
        return {where: rows for where, rows in found.items() if any(rows.values())}

    def forget(self) -> Iterator[LandedAnew | LoadedAnew | BuiltAnew]:
        """Remove the rows, and yield what was landed, loaded and built anew by it."""
        for table, subject in self.subjects:
            yield from self._forget(table, subject)
        with self.warehouse.connect() as connection:
            for table in self.tables:
                for name in (table.name, quarantine_table(table.name)):
                    remains.rewrite(connection, table.source, name)
        for mart in self.marts:
            # The table of one that was never built holds nothing.
            with self.warehouse.connect() as connection:
                is_built = is_loaded(connection, mart.schema, mart.name)
            if is_built:
                yield BuiltAnew(mart, self._build(mart))
            elif file := mart.published(self.warehouse):
                file.delete()
        with self.warehouse.connect() as connection:
            remains.remove_what_was(connection)

    def _published(self, mart: Mart, subject: Subject) -> int:
        """Return how many rows of the person a mart's file has."""
        file = mart.published(self.warehouse)
        return subject_rows.in_published(file, subject) if file else 0

    def _build(self, mart: Mart) -> Built | BuiltMonths:
        """Build the mart as a new table, so that no row stays in what was the old one."""
        if mart.model.is_incremental:
            return build_months(self.warehouse, mart, [], full_refresh=True)
        return build(self.warehouse, mart)

    def _forget(self, table: Table, subject: Subject) -> Iterator[LandedAnew | LoadedAnew]:
        landed: list[str] = []
        publication = publication_of(table, self.landing)
        for month in self._months(table):
            if anew := forget_landed.forget(table.month(self.landing, month), subject, publication):
                landed.append(month)
                yield LandedAnew(table, month, *anew)
        with self.warehouse.connect() as connection:
            loaded = forget_loaded.forget(connection, self.landing, table, subject, landed)
        for month, load in loaded.items():
            yield LoadedAnew(table, month, load)

    def _months(self, table: Table) -> list[str]:
        return self.landing.months_with_files(table.source, table.name)

    def _told_by_marts(self, connection: duckdb.DuckDBPyConnection) -> list[Subject]:
        """Return what stands for the person in a mart too, by whatever name it has been loaded.

        A column that is its table's key tells there only what the row is.
        """
        told = [(table, s) for table, s in self.subjects if table.key != (s.column,)]
        loaded = (
            forget_loaded.as_loaded(connection, table.source, table.name, subject)
            for table, subject in told
        )
        landed = [subject for _, subject in told]
        return [*landed, *(subject for subject in loaded if subject not in landed)]
