"""The component for any dlt source: a function by its dotted path, a table a resource."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from pipelines_project.components.document_part import engine_settings
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.dlt_source.function import (
    check_arguments,
    load_function,
    refuse_literal_arguments,
)
from pipelines_project.sources.dlt_source.settings import Incremental, MonthArguments
from pipelines_project.sources.dlt_source.tables import ResourceTable, SourceCall
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.placeholders import with_month
from pipelines_project.sources.typed_rows.declared_columns import declared_columns
from pipelines_project.table import Table


class DltTable(TableSettings):
    """One table of a dlt source. What does not depend on the month is a snapshot."""

    resource: str | None = Field(
        default=None, description="The resource that yields the rows; the table's name without."
    )
    incremental: Annotated[Incremental | None, engine_settings(Incremental)] = Field(
        default=None,
        description="The cursor by which a month's rows are told: {cursor_path: updated_at}. The "
        "resource's incremental begins with the month and ends with it.",
    )
    snapshot: bool = Field(
        default=False,
        description="Whether the rows are those of now, although the function takes a month.",
    )
    table_name: str | None = Field(
        default=None,
        description="Which table it is of those that the resource names row by row.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Columns with their dlt types, {id: bigint, paid: 'decimal(12, 2)'}, beside "
        "those that the resource declares.",
    )

    @field_validator("columns")
    @classmethod
    def _have_types(cls, columns: dict[str, str]) -> dict[str, str]:
        declared_columns(columns)
        return columns

    @property
    def engine(self) -> ResourceTable:
        """The table as the engine takes it."""
        return ResourceTable(
            self.name,
            self.resource or self.name,
            self.incremental,
            self.table_name,
            self.columns,
            self.column_names,
        )


class DltSource(MonthlySource):
    """The resources of a dlt source, each read by itself, its parents with it."""

    source_function: str = Field(
        description="The dotted path of the function that returns a dlt source, a resource, or a "
        "list of resources: package.module.function."
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="What the function is given; {env: NAME} for a secret, and {month.start}, "
        "{month.end} in any text. What is not given dlt looks for in its own configuration.",
    )
    month_arguments: Annotated[MonthArguments, engine_settings(MonthArguments)] = Field(
        default_factory=MonthArguments,
        description="The arguments that take the month's window: {start: start_date, end: "
        "end_date, form: datetime}.",
    )
    tables: list[DltTable] = Field(description="The tables.")

    @field_validator("source_function")
    @classmethod
    def _is_function(cls, path: str) -> str:
        load_function(path)
        return path

    @model_validator(mode="after")
    def _are_arguments(self) -> Self:
        function = load_function(self.source_function)
        check_arguments(function, [*self.arguments, *self.month_arguments.names.values()])
        refuse_literal_arguments(function, self.arguments)
        with_month(self.arguments, self.start_month)
        return self

    @property
    def _call(self) -> SourceCall:
        return SourceCall(self.source_function, self.arguments, self.month_arguments)

    def monthly_tables(self) -> Sequence[Table]:
        """Return the tables."""
        return [
            self.table(each, self._extractor(each), is_snapshot=self._is_snapshot(each))
            for each in self.tables
        ]

    def _is_snapshot(self, table: DltTable) -> bool:
        return table.snapshot or not (self._call.is_by_month or table.incremental)

    def _extractor(self, table: DltTable) -> Callable[[ApiCalls, LandingZone], Extract]:
        return lambda _calls, _landing: self._call.extract(table.engine)
