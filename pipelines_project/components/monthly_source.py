"""The component that makes one dlt source into assets by month: landed, tidied, loaded, checked."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

import dagster as dg
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from pipelines_project.components.described_model import described_model
from pipelines_project.landing.land_month import Verify
from pipelines_project.landing.shrink_guard import refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import checked_month, months_in_flux
from pipelines_project.orchestration.checks.landing import (
    current_month_is_fresh,
    landed_files_are_intact,
    no_stale_files,
)
from pipelines_project.orchestration.checks.warehouse import (
    have_unique_keys,
    warehouse_rows_match_landing,
)
from pipelines_project.orchestration.delete_stale_files_op import delete_stale_files_op
from pipelines_project.orchestration.forget_job import Person
from pipelines_project.orchestration.land_op import land_op
from pipelines_project.orchestration.landing_asset import delete_stale_files_job, landing_asset
from pipelines_project.orchestration.restore_month_job import restore_month_job
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project.orchestration.warehouse_asset import warehouse_asset
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.table import Table
from pipelines_project.warehouse.load_month import Loader
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth

# Dagster's freshness policies begin at one minute.
_LEAST = {"months_per_run": 1, "keep_loads": 0, "fresh_within_hours": 1 / 60}


class MonthlySource(dg.Component, dg.Model, dg.Resolvable, ABC):
    """A dlt source whose tables land as parquet by month and load into the warehouse.

    A subclass names its `source`, adds the attributes that its API needs, and lists its tables.
    Assets, ops, jobs, checks and the schedule come from here.
    """

    source: ClassVar[str]
    # What the run config of `<source>_forget` calls the person, and the type that it takes.
    subject_name: ClassVar[str] = "value"
    subject_type: ClassVar[type] = str

    start_month: str = Field(description="The first month there is, YYYY-MM.")
    cron: str | None = Field(
        default="0 6 * * *",
        description="When the schedule lands the current month, in UTC; null for no schedule.",
    )
    months_per_run: int | None = Field(
        default=None,
        description="Split a backfill into runs of so many months; null for one run. A split "
        "source cannot be materialized with --partition-range.",
    )
    allow_shrink: bool = Field(
        default=False, description="Land a month even if most of its rows would go."
    )
    keep_loads: int = Field(default=0, description="How many superseded loads of a month to keep.")
    fresh_within_hours: float = Field(
        default=36, description="How old the current month may be before it is not fresh."
    )

    @field_validator("start_month")
    @classmethod
    def _is_month(cls, month: str) -> str:
        return checked_month(month)

    # Not `ge=` of the fields: a text in the YAML would then be an error that names no attribute.
    @field_validator(*_LEAST)
    @classmethod
    def _is_enough(cls, value: float | None, info: ValidationInfo) -> float | None:
        least = _LEAST[info.field_name or ""]
        if value is not None and value < least:
            raise ValueError(f"must be at least {least}")
        return value

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return what `defs.yaml` is read by, with a description of every attribute."""
        return described_model(cls)

    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """Return the tables of the source, each made with `self.table`."""

    def checks(self, table: Table) -> Sequence[dg.AssetChecksDefinition]:
        """Return the checks of one of the tables; a source with more truths adds to them."""
        return [
            no_stale_files(table),
            landed_files_are_intact(table),
            current_month_is_fresh(table),
            *([have_unique_keys(table)] if table.key else []),
            warehouse_rows_match_landing(table),
        ]

    def sensors(self) -> Sequence[dg.SensorDefinition]:
        """Return the sensors of the source; none unless it can tell which months changed."""
        return []

    def instances(self, context: dg.ComponentLoadContext) -> "Sequence[MonthlySource]":
        """Return the components of the source, this one among them; the first has its jobs."""
        return [self]

    def checked_subject(self, value: Any) -> str:
        """Return a person as the tables' `subject` columns name them.

        Raises:
            ValueError: it is nobody's name, or the next run would land their rows again.
        """
        if not str(value).strip():
            raise ValueError(f"set {self.subject_name}: whose rows are to go")
        return str(value)

    @property
    def person(self) -> Person:
        """How the source names a person whose rows are forgotten."""
        return Person(self.subject_name, self.subject_type, self.checked_subject)

    @property
    def materialize_job_name(self) -> str:
        """The name of the job that the schedule runs."""
        return f"{self.source}_materialize"

    def materialized(self) -> dg.AssetSelection:
        """Return what that job materializes: assets with the same months, and marts."""
        return dg.AssetSelection.groups(self.source)

    def table(
        self,
        name: str,
        description: str,
        key: tuple[str, ...],
        extractor: Callable[[ApiCalls, LandingZone], Extract],
        loader: Loader | None = None,
        verify: Verify = refuse_shrink,
        subject: str | None = None,
    ) -> Table:
        """Return one table with the settings of this source; see `Table` for the arguments.

        Without a loader a re-run replaces the month's rows. Without a `verify` one that would take
        away most of a month is refused; `shrink_guard.accept` is for a source that shrinks by
        nature.
        """
        return Table(
            source=self.source,
            name=name,
            description=description,
            key=key,
            extractor=extractor,
            loader=loader or ReplaceMonth(key),
            verify=verify,
            start_month=self.start_month,
            months_per_run=self.months_per_run,
            keep_loads=self.keep_loads,
            allow_shrink=self.allow_shrink,
            fresh_within=timedelta(hours=self.fresh_within_hours),
            subject=subject,
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return everything that Dagster shows of this source."""
        tables = self.tables()
        landing = [landing_asset(t, land_op(t), tidy) for t, tidy in self._tidied_tables]
        assets = [*landing, *(warehouse_asset(table) for table in tables)]
        freshness = dg.FreshnessPolicy.time_window(timedelta(hours=self.fresh_within_hours))
        of_source = self.instances(context)
        is_first = of_source[0] is self
        materialize = dg.define_asset_job(
            self.materialize_job_name,
            selection=self.materialized(),
            description=f"Land, load and model a month of {self.source}.",
        )
        return dg.Definitions(
            assets=dg.map_asset_specs(
                lambda spec: spec.replace_attributes(freshness_policy=freshness), assets
            ),
            asset_checks=[check for table in tables for check in self.checks(table)],
            jobs=[materialize, *(self._jobs_of_source(of_source) if is_first else [])],
            schedules=[*self._schedules()],
            sensors=self.sensors(),
        )

    @cached_property
    def _tidied_tables(self) -> list[tuple[Table, dg.OpDefinition]]:
        """Each table with its op: asset and job must hold the same one."""
        return [(table, delete_stale_files_op(table)) for table in self.tables()]

    def _jobs_of_source(self, of_source: "Sequence[MonthlySource]") -> list[dg.JobDefinition]:
        """Return the jobs for every table of the source: one tidies, one restores."""
        tidied = [pair for component in of_source for pair in component._tidied_tables]
        months = monthly_partitions(min(component.start_month for component in of_source))
        return [
            delete_stale_files_job(self.source, [op for _, op in tidied], months),
            restore_month_job(self.source, [table for table, _ in tidied], months),
        ]

    def _schedules(self) -> Iterator[dg.ScheduleDefinition]:
        """Yield the schedule of the current month, if there is a cron; it is off at first."""
        if self.cron is None:
            return

        @dg.schedule(
            name=f"{self.materialize_job_name}_schedule",
            job_name=self.materialize_job_name,
            cron_schedule=self.cron,
            description="Land the current month again, and in its first days the one before.",
        )
        def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
            in_flux = months_in_flux(context.scheduled_execution_time)
            for month in (month for month in in_flux if month >= self.start_month):
                run_key = f"{month} {context.scheduled_execution_time.isoformat()}"
                yield dg.RunRequest(run_key=run_key, partition_key=month)

        yield schedule
