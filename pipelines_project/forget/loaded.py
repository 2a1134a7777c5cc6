"""Removing a person's rows from the tables of the warehouse."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from pipelines_project.forget.subject import QUARANTINED_TEXT, Subject
from pipelines_project.landing.zone import LandingZone
from pipelines_project.names import quarantine_table
from pipelines_project.sql_text import qualified, quoted
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import MONTH_COLUMN, column_types
from pipelines_project.warehouse.conflicts import retried
from pipelines_project.warehouse.database import transaction
from pipelines_project.warehouse.ledger import create_ledger, held_load
from pipelines_project.warehouse.load_month import Loaded, load_month
from pipelines_project.warehouse.turns import WHOLE_WAREHOUSE, turn
from pipelines_project.warehouse.versions.record import shape_of

_NAMES_THEM = f"regexp_matches({QUARANTINED_TEXT}, $pattern)"


def as_loaded(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, subject: Subject
) -> Subject:
    """Return the subject with its column as versions have named it in the table."""
    name = shape_of(connection, schema, table).name(subject.column)
    return replace(subject, column=name or "")


def counts(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, subject: Subject
) -> Counter[str]:
    """Return how many rows of the person a table has, by month, or under "" if it has no months."""
    columns = column_types(connection, schema, table)
    subject = as_loaded(connection, schema, table, subject)
    if subject.column not in columns:
        return Counter()
    month = MONTH_COLUMN if MONTH_COLUMN in columns else "''"
    name, is_theirs = qualified(schema, table), _is_theirs(columns, subject)
    query = f"select {month}, count(*) from {name} where {is_theirs} group by all"
    found = connection.execute(query, {"value": subject.value})
    return Counter({str(key): rows for key, rows in found.fetchall()})


def quarantined(
    connection: duckdb.DuckDBPyConnection, table: Table, subject: Subject
) -> Counter[str]:
    """Return how many rows that name the person the table's quarantine has, by month."""
    name = _quarantine(connection, table)
    if not name:
        return Counter()
    query = f"select {MONTH_COLUMN}, count(*) from {name} where {_NAMES_THEM} group by all"
    found = connection.execute(query, {"pattern": subject.pattern})
    return Counter({str(month): rows for month, rows in found.fetchall()})


def forget(
    connection: duckdb.DuckDBPyConnection,
    landing: LandingZone,
    table: Table,
    subject: Subject,
    landed_anew: Sequence[str],
) -> dict[str, Loaded]:
    """Remove the person's rows from the table, and load the months again that were landed anew.

    The ledger then names the new load. A merged table keeps rows that no load has any more, so
    they are deleted by the person.

    Returns:
        The months that were loaded.
    """
    create_ledger(connection, table.source)
    held = counts(connection, table.source, table.name, subject)
    loaded: dict[str, Loaded] = {}
    for month in sorted({*held, *landed_anew}):
        place = table.month(landing, month)
        if place.current_load() and held_load(connection, place):
            loaded[month] = load_month(connection, place, table.loader)
    retried()(_delete, connection, table, subject)
    return loaded


def _quarantine(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Return the name of the table's quarantine, or "" if the warehouse has none."""
    name = quarantine_table(table.name)
    is_there = bool(column_types(connection, table.source, name))
    return qualified(table.source, name) if is_there else ""


def _delete(connection: duckdb.DuckDBPyConnection, table: Table, subject: Subject) -> None:
    if name := _quarantine(connection, table):
        connection.execute(f"delete from {name} where {_NAMES_THEM}", {"pattern": subject.pattern})
    columns = column_types(connection, table.source, table.name)
    subject = as_loaded(connection, table.source, table.name, subject)
    if subject.column not in columns:
        return
    query = (
        f"delete from {qualified(table.source, table.name)} where {_is_theirs(columns, subject)}"
    )
    with turn(connection, WHOLE_WAREHOUSE), transaction(connection):
        connection.execute(query, {"value": subject.value})


def _is_theirs(columns: dict[str, str], subject: Subject) -> str:
    return f"{quoted(subject.column)} = try_cast($value as {columns[subject.column]})"
