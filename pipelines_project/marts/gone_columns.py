"""What a model's error means where a version has renamed or dropped a column that it reads."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import duckdb

from pipelines_project.marts.model import SqlModel
from pipelines_project.warehouse.database import WarehouseError
from pipelines_project.warehouse.versions.changes import DropColumn, RenameColumn
from pipelines_project.warehouse.versions.record import shape_of

_NAMED = re.compile(r'"([^"]+)"')


@contextmanager
def gone_columns_told(connection: duckdb.DuckDBPyConnection, model: SqlModel) -> Generator[None]:
    """Say of a column that is not there what a version has made of it.

    Args:
        connection: in no transaction once the work has failed.
        model: what the work builds.

    Raises:
        WarehouseError: a column is not there any more; other errors of DuckDB are let through.
    """
    try:
        yield
    except duckdb.BinderException as error:
        named = _NAMED.findall(str(error).partition("\n")[0])
        if not (told := [each for name in model.reads for each in _gone(connection, name, named)]):
            raise
        raise WarehouseError(f"{error}\n{'; '.join(told)}") from error


def _gone(connection: duckdb.DuckDBPyConnection, table: str, named: list[str]) -> list[str]:
    shape = shape_of(connection, *table.split("."))
    changed = (c for c in shape.changes if isinstance(c, RenameColumn | DropColumn))
    gone = dict.fromkeys(change.column for change in changed if change.column in named)
    return [_told(f"{table}.{column}", shape.name(column)) for column in gone]


def _told(column: str, now: str | None) -> str:
    if now is None:
        return f"A version has dropped {column}: leave it out of the model"
    return f"A version has renamed {column}: write {now} in the model"
