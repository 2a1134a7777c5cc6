"""Freshdesk tickets by month as plain dlt lands them: `freshdesk_months.py URL KEY MONTH...`."""

import sys
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import HeaderLinkPaginator


@dlt.resource(write_disposition="append", primary_key="id")
def tickets(url: str, key: str, month: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the tickets that were last changed in the month."""
    client = RESTClient(url, auth=HttpBasicAuth(key, "X"), paginator=HeaderLinkPaginator())
    parameters = {
        "updated_since": f"{month}-01T00:00:00Z",
        "order_by": "updated_at",
        "order_type": "asc",
        "include": "description,stats,requester",
        "per_page": 100,
    }
    for page in client.paginate("tickets", params=parameters):
        rows = [ticket for ticket in page if ticket["updated_at"][:7] == month]
        yield rows
        if len(rows) < len(page):
            break


def main(url: str, key: str, *months: str) -> None:
    """Land the months one by one as compressed JSON lines."""
    pipeline = dlt.pipeline(
        "freshdesk_months",
        destination=dlt.destinations.filesystem(bucket_url="landing"),
        dataset_name="freshdesk",
    )
    for month in months:
        pipeline.run(tickets(url, key, month))


if __name__ == "__main__":
    main(*sys.argv[1:])
