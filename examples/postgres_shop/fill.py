"""Make the shop's tables and rows in the PostgreSQL that `SHOP_URL` names."""

import argparse
import os
import sys
from pathlib import Path

import psycopg

_FOLDER = Path(__file__).parent


def main() -> None:
    """Run `schema.sql` and `rows.sql`, both or neither."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=6, help="from 2024-01 on (%(default)s)")
    parser.add_argument("--orders", type=int, default=200, help="of each month (%(default)s)")
    asked = parser.parse_args()
    url = os.environ.get("SHOP_URL") or sys.exit("set SHOP_URL to the URL of an empty database")
    rows = (_FOLDER / "rows.sql").read_text(encoding="utf-8")
    for name, value in vars(asked).items():
        rows = rows.replace(f":{name}", str(value))
    try:
        with psycopg.connect(url) as connection:
            connection.execute((_FOLDER / "schema.sql").read_bytes())
            connection.execute(rows.encode())
            [(tables,)] = connection.execute(
                "select count(*) from pg_tables where schemaname = 'public'"
            )
    except psycopg.Error as error:
        sys.exit(f"the shop was not made: {error}")
    print(f"{tables} tables, {asked.orders} orders a month in {asked.months} months from 2024-01")


if __name__ == "__main__":
    main()
