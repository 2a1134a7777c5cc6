"""PostgreSQL to parquet and on to DuckDB: this project, plain dlt, DuckDB's extension alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks import commands
from benchmarks.case import PEAK, Case, Contender, Figures, Target, ratio
from pipelines_project.sandbox.postgres import postgres_server

_MONTHS = commands.first_months(12)
_TABLE = f"""
create table orders as select
    g::bigint as id,
    timestamptz '{_MONTHS[0]}-01 00:00+00' + g * (interval '365 days' / %(rows)s) as created_at,
    timestamp '2023-01-01' + g * interval '1 second' as updated_at,
    (g %% 100000)::int as customer_id,
    ((g %% 1000000)::numeric / 100)::numeric(12, 2) as price,
    (g %% 9)::int as quantity,
    (array['open', 'paid', 'sent', 'returned'])[1 + g %% 4] as status,
    'note of the order ' || g as note,
    g %% 3 = 0 as paid,
    g / 7.0::float8 as weight
from generate_series(0, %(rows)s - 1) g
"""


@contextmanager
def _orders(rows: int, _: Path) -> Iterator[str]:
    """Start a PostgreSQL with so many orders of ten columns in twelve months."""
    with postgres_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(_TABLE.encode(), {"rows": rows})
            cursor.execute("create index on orders (created_at)")
            cursor.execute("vacuum analyze orders")
        yield url


def _ours(url: str, place: Path) -> Figures:
    settings = {"SHOP_URL": url, **commands.data_settings(place)}
    return commands.module("benchmarks.postgres_months", settings, *_MONTHS)


def _plain(how: str) -> Contender[str]:
    def run(url: str, place: Path) -> Figures:
        return commands.plain_script("postgres_months", place / how, how, url, *_MONTHS)

    if how == "duckdb":
        return Contender(run)
    return Contender(run, largest=1_000_000, rounds=1)


_ROWS = 10_000_000

POSTGRES_TO_DUCKDB = Case(
    name="postgres_to_duckdb",
    what="A PostgreSQL table of 10 columns in 12 months to parquet and on to a DuckDB table.",
    unit="rows",
    sizes={1_000_000: 3, _ROWS: 3},
    prepared=_orders,
    contenders={
        "ours": Contender(_ours),
        "duckdb": _plain("duckdb"),
        "dlt sql_table": _plain("sqlalchemy"),
        "dlt connectorx": _plain("connectorx"),
    },
    targets=(
        Target(
            "10 million rows: rows a second over those of DuckDB alone",
            0.8,
            ratio(("duckdb", _ROWS), ("ours", _ROWS)),
            at_least=True,
        ),
        Target(
            "10 million rows: peak memory in MB", 1000, lambda medians: medians["ours", _ROWS][PEAK]
        ),
    ),
)
