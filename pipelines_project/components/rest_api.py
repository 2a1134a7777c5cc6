"""The component for any REST API: dlt's `rest_api` configuration, a table an endpoint."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

import dagster as dg
from pydantic import Field, field_validator, model_validator

from pipelines_project.components.concurrent_source import ConcurrentSource
from pipelines_project.components.document_part import engine_settings
from pipelines_project.components.scaffold.rest_api import RestApiScaffolder
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.fetch import Extract
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.rest_api.client import Client
from pipelines_project.sources.rest_api.configuration import RestTable
from pipelines_project.sources.rest_api.endpoint import Endpoint
from pipelines_project.sources.rest_api.since_last import ChangeCursor
from pipelines_project.sources.rest_api.tables import RestTables
from pipelines_project.sources.typed_rows.declared_columns import declared_columns
from pipelines_project.table import Table


class RestApiTable(TableSettings):
    """One table of an API. Without a placeholder of the month it is a snapshot."""

    endpoint: Annotated[Endpoint, engine_settings(Endpoint)] = Field(
        default_factory=Endpoint,
        description="Where the rows are: path, params, json, data_selector, paginator and more, as "
        "in dlt's rest_api; {month.start} and {month.end} in any text of it.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Columns with their dlt types, {id: bigint, paid: 'decimal(12, 2)'}, so that a "
        "month without rows has them, and a value of another type is an error.",
    )
    include_from_parent: list[str] = Field(
        default_factory=list,
        description="Fields of the parent's row that each row gets, as _<parent>_<field>.",
    )

    refetch: Literal["all", "since_last"] = Field(
        default="all",
        description="What a run fetches of the current month when it is landed already: all of it, "
        "or what has changed since, by the cursor (since_last). Rows that were deleted stay until "
        "the month is fetched whole, as closed months always are.",
    )
    cursor: Annotated[ChangeCursor | None, engine_settings(ChangeCursor)] = Field(
        default=None,
        description="For since_last: the column that says when a row changed, and how to ask by "
        "it: {column: updated_at, params: {updated_since: '{since}'}}.",
    )

    @model_validator(mode="after")
    def _has_cursor(self) -> Self:
        if (self.cursor is not None) != (self.refetch == "since_last"):
            raise ValueError("refetch: since_last needs a cursor, and a cursor needs it")
        return self

    @field_validator("columns")
    @classmethod
    def _have_types(cls, columns: dict[str, str]) -> dict[str, str]:
        declared_columns(columns)
        return columns


@dg.scaffold_with(RestApiScaffolder)
class RestApi(ConcurrentSource):
    """The tables of a REST API, asked for one month at a time, or for several."""

    client: Annotated[Client, engine_settings(Client)] = Field(
        description="Where the API is and how it is asked: base_url, auth, headers, paginator, "
        "rate_limit, most_pages. Secrets are named by their environment variables."
    )
    tables: list[RestApiTable] = Field(
        description="The tables. One can be asked for by the rows of another: {type: resolve, "
        "resource: orders, field: id} in params, or {resources.orders.id}."
    )

    @model_validator(mode="after")
    def _are_tables(self) -> Self:
        _ = self._engine
        return self

    @cached_property
    def _engine(self) -> RestTables:
        tables = [
            RestTable(
                each.name,
                each.endpoint,
                each.columns,
                each.include_from_parent,
                tuple(each.key),
                each.cursor,
            )
            for each in self.tables
        ]
        return RestTables(self.client, tables, self.start_month)

    def monthly_tables(self) -> Sequence[Table]:
        """Return the tables."""
        return [
            self.table(
                each,
                self._extractor(each.name),
                is_snapshot=self._engine.is_snapshot(each.name),
                columns=each.columns,
            )
            for each in self.tables
        ]

    def _extractor(self, name: str) -> Callable[[ApiCalls, LandingZone], Extract]:
        return lambda calls, _landing: self._engine.extract(name, calls)
