"""The component that makes one dlt source into assets by month: landed, tidied, loaded, checked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Self

import dagster as dg
from pydantic import BaseModel, PrivateAttr

from pipelines_project.components.source_attributes import SourceAttributes
from pipelines_project.components.source_definitions import (
    TidiedTables,
    assets_of_tables,
    definitions_of_source,
)
from pipelines_project.components.source_versions import versions_of
from pipelines_project.landing.ask_source import Asker, has_changed
from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.checks.landing import (
    current_month_is_fresh,
    landed_files_are_intact,
    no_stale_files,
)
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.checks.of_loader import warehouse_checks
from pipelines_project.orchestration.checks.one_step import monthly_checks
from pipelines_project.orchestration.checks.published import published_checks
from pipelines_project.orchestration.delete_stale_files_op import delete_stale_files_op
from pipelines_project.orchestration.forget_job import Person
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project.report.persons import names_with_persons
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table


class MonthlySource(SourceAttributes, dg.Component, ABC):
    """A dlt source whose tables land as parquet by month and load into the warehouse.

    A subclass adds the attributes that its API needs, and lists its tables. Assets, ops, jobs,
    checks and schedules come from here. Several documents can name one source: its jobs and
    schedules are then those of all their tables.
    """

    # What the run config of `<source>_forget` calls the person, and the type that it takes.
    subject_name: ClassVar[str] = "value"
    subject_type: ClassVar[type] = str

    _folder: Path | None = PrivateAttr(default=None)
    _siblings: "list[MonthlySource] | None" = PrivateAttr(default=None)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Return the component that a document of a `defs.yaml` describes."""
        loaded = super().load(attributes, context)
        loaded._folder = context.path
        return loaded

    @abstractmethod
    def monthly_tables(self) -> Sequence[Table]:
        """Return the tables of the source, each made with `self.table`."""

    def checks(self, table: Table) -> Sequence[MonthlyCheck]:
        """Return the checks of one of the tables; a source with more truths adds to them."""
        return [
            no_stale_files(table),
            landed_files_are_intact(table),
            current_month_is_fresh(table),
            *warehouse_checks(table),
        ]

    def sensors(self) -> Sequence[dg.SensorDefinition]:
        """Return the sensors of the source; none unless it can tell which months changed."""
        return []

    def asker(self, table: Table, calls: ApiCalls, landing: LandingZone) -> Asker:
        """Return what tells of a landed month whether the source has other rows of it now."""
        return partial(has_changed, table.extractor(calls, landing))

    def of_source(self, context: dg.ComponentLoadContext) -> "Sequence[MonthlySource]":
        """Return the components of the source, this one among them; the first has its jobs.

        One that was made in code, as in a test, is alone.
        """
        if not self._folder:
            return [self]
        if self._siblings is None:
            # For all at once: each search goes through every document there is.
            found = context.component_tree.get_all_components(of_type=MonthlySource)
            by_source = dict[str, list[MonthlySource]]()
            for each in found:
                each._siblings = by_source.setdefault(each.source, [])
                each._siblings.append(each)
        return self._siblings or []

    def checked_subject(self, value: Any) -> str:
        """Return a person as the tables' `subject` columns name them.

        Raises:
            ValueError: it is nobody's name.
        """
        if not str(value).strip():
            raise ValueError(f"set {self.subject_name}: whose rows are to go")
        return str(value)

    def why_subject_comes_again(self, subject: str) -> str:
        """Return why the next run would land the person's rows again, and what to do before.

        Nothing if it would not, as far as the source can tell.
        """
        return ""

    @property
    def person(self) -> Person:
        """How the source names a person whose rows are forgotten."""
        return Person(
            self.subject_name,
            self.subject_type,
            self.checked_subject,
            self.why_subject_comes_again,
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return everything that Dagster shows of this source."""
        of_source = self.of_source(context)
        tables = [table for each in of_source for table, _ in each._tidied_tables]
        shows_rows = not names_with_persons(tables, [])
        of_all = [pair for each in of_source for pair in each._with_rows_shown(shows_rows)]
        folders = [each._folder for each in of_source if each._folder]
        versions = versions_of(folders, self.source, tables)
        months = monthly_partitions(min(table.start_month for table in tables))
        tidied = self._with_rows_shown(shows_rows)
        fresh_within = timedelta(hours=self.fresh_within_hours)
        own = dg.Definitions(
            assets=assets_of_tables(
                tidied, months, versions, fresh_within, type(self).monthly_tables.__code__
            ),
            asset_checks=monthly_checks(
                [
                    check
                    for table, _ in tidied
                    for check in (*self.checks(table), *published_checks(table))
                ]
            ),
            sensors=self.sensors(),
        )
        if of_source[0] is not self:
            return own
        return dg.Definitions.merge(own, definitions_of_source(of_all, months, versions))

    @cached_property
    def _tidied_tables(self) -> TidiedTables:
        """Each table with its op: asset and job must hold the same one."""
        return [(table, delete_stale_files_op(table)) for table in self.monthly_tables()]

    def _with_rows_shown(self, shows_rows: bool) -> TidiedTables:
        return [(replace(table, shows_rows=shows_rows), op) for table, op in self._tidied_tables]
