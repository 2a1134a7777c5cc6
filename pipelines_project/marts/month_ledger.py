"""The ledger of marts by month, `ledger.mart_months`: what each month was built from.

It is written in the transaction that writes the rows, so that a month is built once from the same
loads, and again when one of them is another.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines_project.months import months_before
from pipelines_project.names import LEDGER_SCHEMA
from pipelines_project.warehouse.ledger import create_ledger

_LEDGER = f"{LEDGER_SCHEMA}.mart_months"
_THIS_MART = "where mart = $mart"
# The month under which the definition of the whole table is kept.
_DEFINITION = ""


@dataclass(frozen=True)
class BuiltFrom:
    """A month of a mart: what it was built from, and what came of it."""

    inputs: str
    content: str
    rows: int


def create_month_ledger(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Create the ledgers and the schema of the marts if they are not there."""
    create_ledger(connection, schema)
    connection.execute(f"""
        create table if not exists {_LEDGER} (
            mart varchar, month varchar, inputs varchar, content varchar, row_count bigint
        )
    """)


def months_built(connection: duckdb.DuckDBPyConnection, mart: str) -> dict[str, BuiltFrom]:
    """Return every month of the mart that is recorded."""
    query = f"select month, inputs, content, row_count from {_LEDGER} {_THIS_MART}"
    found = connection.execute(query, {"mart": mart}).fetchall()
    return {month: BuiltFrom(*rest) for month, *rest in found if month != _DEFINITION}


def content_built(connection: duckdb.DuckDBPyConnection, mart: str) -> str:
    """Return a short text that is another one if the rows or columns of any month are."""
    query = f"select month, inputs, content from {_LEDGER} {_THIS_MART} order by month"
    found = connection.execute(query, {"mart": mart}).fetchall()
    # What a month was built from does not matter; the definition's line has that place.
    return _digest([[m, content or inputs] for m, inputs, content in found])


def definition_built(connection: duckdb.DuckDBPyConnection, mart: str) -> str | None:
    """Return the definition that all months of the mart were built by, if any were."""
    query = f"select inputs from {_LEDGER} {_THIS_MART} and month = '{_DEFINITION}'"
    found = connection.execute(query, {"mart": mart}).fetchone()
    return found[0] if found else None


def write_months(
    connection: duckdb.DuckDBPyConnection, mart: str, built: Mapping[str, BuiltFrom]
) -> None:
    """Record months in place of what was recorded of them."""
    connection.execute(
        f"delete from {_LEDGER} {_THIS_MART} and list_contains($months, month)",
        {"mart": mart, "months": list(built)},
    )
    rows = [[mart, month, each.inputs, each.content, each.rows] for month, each in built.items()]
    if rows:
        connection.executemany(f"insert into {_LEDGER} values (?, ?, ?, ?, ?)", rows)


def write_definition(connection: duckdb.DuckDBPyConnection, mart: str, definition: str) -> None:
    """Record by what all months of the mart are built, and forget the months that were."""
    connection.execute(f"delete from {_LEDGER} {_THIS_MART}", {"mart": mart})
    write_months(connection, mart, {_DEFINITION: BuiltFrom(definition, "", 0)})


def definition_of(sql: str, columns: Mapping[str, str]) -> str:
    """Return a short text that is another one if the SQL, or a type of its result, is."""
    return _digest([sql, [*columns.items()]])


@dataclass(frozen=True)
class Inputs:
    """What the tables that a mart reads hold now.

    Attributes:
        versions: by table and month, the load or the content of its rows.
        lookback: how many months before its own a month is made from.
    """

    versions: Mapping[tuple[str, str], str]
    lookback: int

    @property
    def months(self) -> set[str]:
        """The months that any of the tables has."""
        return {month for _, month in self.versions}

    def of_month(self, month: str) -> str:
        """Return a short text that is another one if anything that the month is made from is."""
        window = {month, *months_before(month, self.lookback)}
        return _digest(sorted([*key, v] for key, v in self.versions.items() if key[1] in window))


def read_inputs(
    connection: duckdb.DuckDBPyConnection, tables: Collection[str], lookback: int
) -> Inputs:
    """Return what the tables hold: those of sources by the loads, marts by what was built.

    Args:
        connection: in the transaction that builds from them.
        tables: names as SQL has them, `schema.table`.
        lookback: how many months before its own a month is made from.
    """
    found = connection.execute(
        f"""select source || '.' || table_name as name, month, load_id as version
            from {LEDGER_SCHEMA}.loads where list_contains($tables, name)
            union all
            select mart, month, content
            from {_LEDGER} where list_contains($tables, mart) and month <> '{_DEFINITION}'""",
        {"tables": [*tables]},
    ).fetchall()
    return Inputs({(name, month): version for name, month, version in found}, lookback)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]
