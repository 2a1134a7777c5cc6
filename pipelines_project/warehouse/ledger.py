"""The warehouse's ledger, `ledger.loads`: which load of each month a table holds, and what it is.

It is written in the transaction that writes the rows, so that a month is loaded once and an older
load never replaces a newer one.
"""

from typing import Any, NamedTuple

import duckdb

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.names import LEDGER_SCHEMA
from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.attachment import WAREHOUSE, Kind, kind_of
from pipelines_project.warehouse.columns import column_types

_LEDGER = f"{LEDGER_SCHEMA}.loads"
# More than a mart has months.
_MOST_ROWS = 100_000
_THIS_MONTH = "where source = $source and table_name = $table and month = $month"


class HeldLoad(NamedTuple):
    """A load that is recorded: its id, its rows, and the hash of them if it was recorded too."""

    load_id: str
    rows: int
    content_hash: str | None


def create_ledger(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Create the ledger and the source's schema if they are not there."""
    connection.execute(f"""
        create schema if not exists {LEDGER_SCHEMA};
        create schema if not exists {quoted(source)};
    """)
    if kind_of(connection) is Kind.LAKE:
        _keep_in_catalog(connection)
    connection.execute(f"""
        create table if not exists {_LEDGER} (
            source varchar, table_name varchar, month varchar, load_id varchar, row_count bigint,
            content_hash varchar, column_origins varchar
        )
    """)
    there = column_types(connection, LEDGER_SCHEMA, "loads")
    # Earlier versions of the project made the ledger without them.
    for column in ("content_hash", "column_origins"):
        if column not in there:
            connection.execute(f"alter table {_LEDGER} add column {column} varchar")


def _keep_in_catalog(connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckLake keep the rows of the ledger's tables in its catalog, where nobody is in them.

    As files they are two for each load, and loads and marts by month read all of them.
    """
    option = "data_inlining_row_limit"
    query = f"from {WAREHOUSE}.options() where option_name = $option and scope_entry = $schema"
    named = {"option": option, "schema": LEDGER_SCHEMA}
    if not connection.execute(query, named).fetchall():
        setting = f"'{option}', {_MOST_ROWS}, schema => '{LEDGER_SCHEMA}'"
        connection.execute(f"call {WAREHOUSE}.set_option({setting})")


def held_load(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> HeldLoad | None:
    """Return the load that is recorded for the month, if any."""
    query = f"select load_id, row_count, content_hash from {_LEDGER} {_THIS_MONTH}"
    found = connection.execute(query, _parameters(place)).fetchone()
    return HeldLoad(*found) if found else None


def held_loads(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, HeldLoad]]:
    """Return, by source and table, the load that is recorded of each month."""
    found: dict[tuple[str, str], dict[str, HeldLoad]] = {}
    if "content_hash" not in column_types(connection, LEDGER_SCHEMA, "loads"):
        return found
    query = f"select source, table_name, month, load_id, row_count, content_hash from {_LEDGER}"
    for source, table, month, *held in connection.execute(query).fetchall():
        found.setdefault((source, table), {})[month] = HeldLoad(*held)
    return found


def newest_month(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> str | None:
    """Return the latest month of the table that is recorded, if any."""
    query = f"select max(month) from {_LEDGER} where source = $source and table_name = $table"
    parameters = {"source": place.source, "table": place.table}
    return connection.execute(query, parameters).fetchall()[0][0]


def loaded_months(connection: duckdb.DuckDBPyConnection, place: LandedMonth) -> list[str]:
    """Return the months of the table that are recorded, in order."""
    query = f"select month from {_LEDGER} where source = $source and table_name = $table order by 1"
    parameters = {"source": place.source, "table": place.table}
    return [month for (month,) in connection.execute(query, parameters).fetchall()]


def other_origins(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, origins: str
) -> dict[str, list[str]]:
    """Return what is recorded of other months instead of these origins, each with its months.

    Almost always that is nothing, however many months there are and how wide the table is.
    """
    query = f"""
        select column_origins, list(month order by month) as months from {_LEDGER}
        where source = $source and table_name = $table and month <> $month
            and column_origins <> $origins
        group by column_origins
        order by min(month)
    """
    parameters = {**_parameters(place), "origins": origins}
    return dict(connection.execute(query, parameters).fetchall())


def write_ledger(
    connection: duckdb.DuckDBPyConnection, place: LandedMonth, held: HeldLoad, origins: str | None
) -> None:
    """Record that the table holds this load of the month, in place of what was recorded.

    Args:
        connection: in a transaction.
        place: the landed month.
        held: the load.
        origins: what its columns are in the source, as text.
    """
    connection.execute(f"delete from {_LEDGER} {_THIS_MONTH}", _parameters(place))
    connection.execute(
        f"""
        insert into {_LEDGER}
            (source, table_name, month, load_id, row_count, content_hash, column_origins)
        values ($source, $table, $month, $load_id, $rows, $content_hash, $origins)
        """,
        {**_parameters(place), **held._asdict(), "origins": origins},
    )


def forget_loads(connection: duckdb.DuckDBPyConnection, source: str, table: str) -> None:
    """Remove what is recorded of every month of the table."""
    query = f"delete from {_LEDGER} where source = $source and table_name = $table"
    connection.execute(query, {"source": source, "table": table})


def move_loads(connection: duckdb.DuckDBPyConnection, place: LandedMonth, source: str) -> None:
    """Record what is recorded of the table for one of that name of another source."""
    query = f"""
        update {_LEDGER} set source = $other where source = $source and table_name = $table
    """
    connection.execute(query, {"other": source, "source": place.source, "table": place.table})


def _parameters(place: LandedMonth) -> dict[str, Any]:
    return {"source": place.source, "table": place.table, "month": place.month}
