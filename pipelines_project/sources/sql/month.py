"""A month of a table or query of a database as one dlt resource."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import dlt
import pyarrow as pa
import sqlalchemy as sa
from dlt.common.normalizers.naming import NamingConvention
from dlt.extract import DltResource

from pipelines_project.sources.column_hints import zoneless
from pipelines_project.sources.sql.connection import (
    DATABASE_ERRORS,
    database_url,
    explained,
    is_postgres,
)
from pipelines_project.sources.sql.driver_rows import driver_table
from pipelines_project.sources.sql.postgres_rows import postgres_tables
from pipelines_project.sources.sql.settings import SqlSettings

T = TypeVar("T")


def sql_month(settings: SqlSettings, month: str) -> DltResource:
    """Return the resource of the month's rows, or of all rows if the table has no months.

    Columns are named as dlt names them; of names that fall together each has its own.

    Args:
        settings: of the table.
        month: `YYYY-MM`; months are those of UTC.

    Raises:
        SourceError: now or while it is read: the database cannot be reached, the settings do not
            fit it, or a value has no exact form where it lands.
    """
    naming = dlt.Schema(settings.name).naming
    url = _apart(settings, lambda: database_url(settings))
    if is_postgres(url):
        tables = _each(settings, lambda: _postgres(settings, url, month, naming))
        return dlt.resource(tables, name=settings.name)
    table = _apart(settings, lambda: driver_table(settings, url, naming))
    rows = _each(settings, lambda: table.rows(month))
    return dlt.resource(rows, name=settings.name, columns=table.declared)


def _postgres(
    settings: SqlSettings, url: sa.URL, month: str, naming: NamingConvention
) -> Iterator[Any]:
    for table in postgres_tables(settings, url, month, naming):
        yield table if len(table) else _with_zones(table)


def _with_zones(table: pa.Table) -> Any:
    """Return a table with the hint which of its times are without a zone."""
    columns: Any = zoneless(table.schema)
    return dlt.mark.with_hints(table, dlt.mark.make_hints(columns=columns)) if columns else table


def _apart(settings: SqlSettings, work: Callable[[], T]) -> T:
    """Do the work; an error of the database is raised anew, apart from the driver's own."""
    try:
        return work()
    except DATABASE_ERRORS as error:
        failure = explained(settings, error)
    raise failure


def _each(settings: SqlSettings, work: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Yield what the work yields, and raise its errors as `_apart` does."""
    try:
        yield from work()
    except DATABASE_ERRORS as error:
        failure = explained(settings, error)
    else:
        return
    raise failure
