"""A month of a table or query of a database as one dlt resource."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import dlt
import sqlalchemy as sa
from dlt.common.normalizers.naming import NamingConvention
from dlt.extract import DltResource

from pipelines_project.sources.column_hints import file_columns
from pipelines_project.sources.fetch import Fetch
from pipelines_project.sources.sql.connection import (
    DATABASE_ERRORS,
    database_url,
    explained,
    is_postgres,
)
from pipelines_project.sources.sql.driver_rows import driver_table
from pipelines_project.sources.sql.postgres_rows import postgres_file
from pipelines_project.sources.sql.settings import SqlSettings
from pipelines_project.temporary import working_folder

T = TypeVar("T")


def sql_month(settings: SqlSettings, month: str, fetch: Fetch) -> DltResource:
    """Return the resource of the month's rows, or of all rows if the table has no months.

    Columns are named as dlt names them; of names that fall together each has its own.

    Args:
        settings: of the table.
        month: `YYYY-MM`; months are those of UTC.
        fetch: how many rows are wanted if it is only a look.

    Raises:
        SourceError: now or while it is read: the database cannot be reached, the settings do not
            fit it, or a value has no exact form where it lands.
    """
    naming = dlt.Schema(settings.name).naming
    url = _apart(settings, lambda: database_url(settings))
    if is_postgres(url):
        file = _each(settings, lambda: _postgres(settings, url, month, naming, fetch))
        return dlt.resource(file, name=settings.name)
    table = _apart(settings, lambda: driver_table(settings, url, naming))
    rows = _each(settings, lambda: table.rows(month))
    return dlt.resource(rows, name=settings.name, columns=table.declared)


def _postgres(
    settings: SqlSettings, url: sa.URL, month: str, naming: NamingConvention, fetch: Fetch
) -> Iterator[Any]:
    load_id = dlt.current.load_package_state().get("load_id", "")
    with working_folder() as folder:
        path = Path(folder, "rows.parquet")
        rows = postgres_file(settings, url, month, naming, load_id, path, fetch.most_rows)
        hints = dlt.mark.make_hints(columns=file_columns(path))
        yield dlt.mark.with_file_import(str(path), "parquet", rows, hints)


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
