"""Chess games by month as plain dlt lands them: `chess_months.py URL PLAYER MONTH...`."""

import sys
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.sources.helpers import requests

_HEADERS = {"User-Agent": "benchmark (contact: benchmark@example.com)"}


@dlt.resource(write_disposition="append")
def games(url: str, player: str, month: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the games that the player finished in the month."""
    path = f"{url}/player/{player}/games/{month.replace('-', '/')}"
    yield requests.get(path, headers=_HEADERS).json()["games"]


def main(url: str, player: str, *months: str) -> None:
    """Land one table a month as compressed JSON lines, which is how dlt lands files by itself."""
    pipeline = dlt.pipeline(
        "chess_months",
        destination=dlt.destinations.filesystem(bucket_url="landing"),
        dataset_name="chess",
    )
    for month in months:
        pipeline.run(games(url, player, month), table_name=f"games_{month}")


if __name__ == "__main__":
    main(*sys.argv[1:])
