"""Tables and queries of any database that SQLAlchemy reaches, as a component."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import dagster as dg
from dlt.extract import DltResource
from pydantic import ConfigDict, Field, field_validator, model_validator

from pipelines_project.components.concurrent_source import MOST, ConcurrentSource
from pipelines_project.components.scaffold.sql_tables import SqlTablesScaffolder
from pipelines_project.components.table_settings import TableSettings
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.http.api_calls import ApiCalls
from pipelines_project.sources.row_groups import ROW_GROUP_ROWS
from pipelines_project.sources.sql.month import sql_month
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.table import Table

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SqlTable(TableSettings):
    """One table or query of the database."""

    table: str | None = Field(
        default=None,
        description="The table or view in the database, with its schema if that is not the "
        "default one: orders, or sales.orders.",
    )
    query: str | None = Field(
        default=None,
        description="Instead of a table, the file beside defs.yaml that holds a SELECT. In it "
        ":month_start and :month_end are the first days of the month and of the next one; a query "
        "without them is a snapshot.",
    )
    month_column: str | None = Field(
        default=None,
        description="The column of dates or timestamps whose month, in UTC, a row belongs to. A "
        "table without one is a snapshot: it lands whole in the month in which it is taken.",
    )
    columns: list[str] = Field(
        default_factory=list,
        description="The columns to read, as the database spells them; all if none is named.",
    )
    exclude: list[str] = Field(
        default_factory=list,
        description="The columns to leave out, as the database spells them.",
    )
    chunk_rows: int = Field(
        default=ROW_GROUP_ROWS,
        description="How many rows are held in memory at most, on PostgreSQL in whole batches of "
        "2,048; fewer where rows are very wide.",
    )

    @field_validator("chunk_rows")
    @classmethod
    def _are_rows(cls, rows: int) -> int:
        if rows < 1:
            raise ValueError("must be at least 1")
        return rows

    @model_validator(mode="after")
    def _is_table_or_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError(f"{self.name}: name either a `table` or a `query`")
        return self


@dg.scaffold_with(SqlTablesScaffolder)
class SqlTables(ConcurrentSource):
    """Tables and queries of a database: PostgreSQL, MySQL, SQL Server, SQLite, and others."""

    # The value of an environment variable that stands here by mistake must not be shown.
    model_config = ConfigDict(hide_input_in_errors=True)

    connection: str = Field(
        description="The environment variable that holds the database's URL as SQLAlchemy writes "
        "it, such as postgresql://user:password@host:5432/database. Its value is read by runs only."
    )
    timeout_minutes: float = Field(
        default=60, description="How long the statement that reads a month may take."
    )
    # One session keeps one processor of this machine busy at most.
    months_at_once: int = Field(
        default=2,
        description=f"How many months of a table a run lands at the same time, at most {MOST}. "
        "Each has a session of its own with the database, and takes what one month takes of the "
        "memory.",
    )
    tables: list[SqlTable] = Field(description="The tables and queries.")

    @field_validator("connection")
    @classmethod
    def _is_variable(cls, connection: str) -> str:
        if not _VARIABLE.fullmatch(connection):
            raise ValueError(
                "must be the name of an environment variable, such as SHOP_URL, and not its value"
            )
        return connection

    @field_validator("timeout_minutes")
    @classmethod
    def _is_time(cls, minutes: float) -> float:
        if not 0 < minutes <= 1440:
            raise ValueError("must be more than 0 and at most 1440")
        return minutes

    def monthly_tables(self) -> Sequence[Table]:
        """Return each table and query.

        Raises:
            ValueError: the file of a query cannot be read; it names the table and the file.
        """
        return [self._monthly_table(table) for table in self.tables]

    def _monthly_table(self, table: SqlTable) -> Table:
        settings = SqlSettings(
            name=table.name,
            connection=self.connection,
            table=table.table,
            query=self._query(table) if table.query else None,
            key=tuple(table.key),
            month_column=table.month_column,
            columns=tuple(table.columns),
            exclude=tuple(table.exclude),
            chunk_rows=table.chunk_rows,
            timeout_minutes=self.timeout_minutes,
            column_names=table.column_names,
        )
        return self.table(table, _extractor(settings), is_snapshot=settings.is_snapshot)

    def _query(self, table: SqlTable) -> str:
        file = (self._folder or Path()) / str(table.query)
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(
                f"{self.source}: the query of {table.name}, {table.query!r}, must be a file beside "
                f"defs.yaml: {error}"
            ) from error


def _extractor(settings: SqlSettings) -> Callable[[ApiCalls, LandingZone], Extract]:
    def extract(month: str, fetch: Fetch) -> DltResource:
        return sql_month(settings, month, fetch)

    return lambda _calls, _landing: extract
