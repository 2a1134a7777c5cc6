"""Months of a PostgreSQL table to parquet and on to DuckDB, as the documentations have it.

Usage: postgres_months.py (duckdb | sqlalchemy | connectorx) URL MONTH...
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import duckdb
from duckdb_extensions import import_extension


def bounds(month: str) -> tuple[str, str]:
    """Return the first days of the month and of the next one."""
    start = datetime.fromisoformat(f"{month}-01T00:00+00:00")
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"


def land_with_duckdb(url: str, months: Sequence[str]) -> None:
    """Copy each month to a file."""
    with duckdb.connect() as connection:
        import_extension("postgres_scanner", con=connection)
        connection.execute(f"attach '{url}' as shop (type postgres, read_only)")
        for month in months:
            start, end = bounds(month)
            Path("orders", month).mkdir(parents=True)
            connection.execute(
                f"copy (from shop.orders where created_at >= timestamptz '{start} 00:00:00+00' "
                f"and created_at < timestamptz '{end} 00:00:00+00') "
                f"to 'orders/{month}/orders.parquet' (compression zstd)"
            )


def land_with_dlt(url: str, backend: str) -> None:
    """Land the whole table in one run."""
    # Seconds that the other way does not need.
    import dlt
    from dlt.sources.sql_database import sql_table

    pipeline = dlt.pipeline(
        "plain_postgres",
        destination=dlt.destinations.filesystem(bucket_url="."),
        dataset_name="orders",
    )
    arguments = {}
    if backend == "connectorx":
        # It takes the folder of a socket for the host only in this spelling.
        folder = quote(parse_qs(urlsplit(url).query)["host"][0], safe="")
        arguments = {"conn": f"postgresql://postgres@{folder}/postgres"}
    table = sql_table(
        url.replace("postgresql://", "postgresql+psycopg://"),
        "orders",
        backend=backend,  # pyright: ignore[reportArgumentType]
        backend_kwargs=arguments,
    )
    pipeline.run(table, loader_file_format="parquet")


def load() -> None:
    """Make the files a table."""
    with duckdb.connect("plain.duckdb") as connection:
        connection.execute("create table orders as from 'orders/*/*.parquet'")


if __name__ == "__main__":
    _, how, url, *months = sys.argv
    if how == "duckdb":
        land_with_duckdb(url, months)
    else:
        land_with_dlt(url, how)
    load()
