"""A month landed by what changed: the changed rows, and the current load's other rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from pipelines_project.landing.landed_month import LandedMonth, Load
from pipelines_project.landing.previous import Previous
from pipelines_project.landing.read_files import READ_FILES, landed_types, readable
from pipelines_project.landing.stage import Staged, staged_file
from pipelines_project.sources.row_groups import ROW_GROUP_ROWS
from pipelines_project.sql_text import literal, quoted
from pipelines_project.temporary import duckdb_session

_KEPT, _CHANGED = (READ_FILES.replace("$files", name) for name in ("$current", "$changed"))
# zstd, as dlt is told to write.
_FORMAT = f"format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS}"


class WholeMonthNeededError(Exception):
    """The changed rows cannot be put together with the current load's; says why."""


def with_unchanged_rows(
    month: LandedMonth, changed: Staged, before: Previous, key: Sequence[str]
) -> Staged:
    """Return a load of the changed rows and of the current load's rows that did not change.

    A changed row takes the place of the row with its key, because it was answered later. All rows
    get the new load's id.

    Args:
        month: which month.
        changed: the staged rows, which came since the current load.
        before: that load.
        key: the columns that tell one row from another.

    Raises:
        WholeMonthNeededError: the key is not there, a column has another type than before
            or is another one in the source, or the month was landed again meanwhile.
    """
    current = month.current_files()
    if current is None or before.record is None or current.load_id != before.load_id:
        raise WholeMonthNeededError(f"{month} was landed again while its changes were fetched")
    files = [str(file.path) for file in changed.files if file.table == month.table]
    path = Path(files[0]).with_name("with_unchanged_rows.parquet")
    known = _origins(month, before.record.origins, changed.origins)
    with readable(month, current) as kept, duckdb_session() as connection:
        _check_columns(connection, month, files, kept, key)
        _write(connection, files, kept, key, changed.load_id, path)
    required = [name for name in changed.required if name in before.record.required]
    return replace(
        changed,
        files=[staged_file(month.table, changed.files[0].file_id, path)],
        schema={**before.record.schema, **changed.schema},
        required=required,
        origins=known,
    )


def _origins(
    month: LandedMonth, before: Mapping[str, list[str]], changed: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    """Return what each column is in the source, which must be the same in what changed."""
    for column, now in changed.items():
        if not {*now} & {*before.get(column, now)}:
            raise WholeMonthNeededError(f"{month}: {column} was another column before")
    return {**before, **changed}


def _check_columns(
    connection: duckdb.DuckDBPyConnection,
    month: LandedMonth,
    files: list[str],
    current: Load,
    key: Sequence[str],
) -> None:
    """Refuse a key that is not there, and types that differ: DuckDB would cast values unasked."""
    before, now = landed_types(connection, current.files), landed_types(connection, files)
    if missing := [each for each in key if each not in before or each not in now]:
        raise WholeMonthNeededError(f"{month}: there is no {', '.join(missing)}, its key")
    for column, kind in now.items():
        if before.get(column, kind) != kind:
            raise WholeMonthNeededError(
                f"{month}: {column} is {kind} in what changed and {before[column]} before"
            )


def _write(
    connection: duckdb.DuckDBPyConnection,
    files: list[str],
    current: Load,
    key: Sequence[str],
    load_id: str,
    path: Path,
) -> None:
    """Write the rows into one parquet file."""
    names = map(quoted, key)
    same_key = " and ".join(f"changed.{n} is not distinct from kept.{n}" for n in names)
    connection.execute(
        f"""
        copy (
            select * replace ($load_id as _dlt_load_id) from (
                select * from {_KEPT} as kept
                where not exists (from {_CHANGED} as changed where {same_key})
                union all by name
                from {_CHANGED}
            )
        ) to {literal(str(path))} ({_FORMAT})
        """,
        {"current": current.files, "changed": files, "load_id": load_id},
    )
