"""A dlt source as others write it: resources, a transformer, a secret, a cursor, odd ones."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import dlt
import requests
from dlt.extract import DltResource

NO_FUNCTION = 3
CALLS: list[str] = []
"""What was read, so that a test sees that nothing else was."""


def _orders(start: date, end: date) -> Iterator[dict[str, Any]]:
    CALLS.append("orders")
    for day in range((end - start).days):
        at = start + timedelta(days=day)
        yield {"id": at.toordinal(), "at": at.isoformat(), "lines": [{"sku": "a"}, {"sku": "b"}]}


@dlt.source
def shop(
    start_date: date,
    end_date: date,
    token: str = dlt.secrets.value,
    region: str = "north",
) -> list[DltResource]:
    """Orders with their lines, and the customers of now."""

    @dlt.resource(
        primary_key="id", write_disposition="merge", columns={"note": {"data_type": "text"}}
    )
    def orders() -> Iterator[Any]:
        for row in _orders(start_date, end_date):
            yield {**row, "region": region, "token_length": len(token)}

    @dlt.transformer(data_from=orders)
    def order_lines(order: dict[str, Any]) -> Iterator[Any]:
        CALLS.append("order_lines")
        for at, line in enumerate(order["lines"]):
            yield {"order_id": order["id"], "line": at, **line}

    @dlt.resource
    def customers() -> Iterator[Any]:
        CALLS.append("customers")
        yield [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]

    return [orders, order_lines, customers]


@dlt.resource(primary_key="id")
def events(
    updated_at: dlt.sources.incremental[str] = dlt.sources.incremental(  # noqa: B008
        "updated_at", initial_value="2023-12-31"
    ),
) -> Iterator[Any]:
    """A resource that asks from its cursor on, and yields more than that."""
    CALLS.append(f"from {updated_at.last_value} to {updated_at.end_value}")
    for day in range(80):
        at = datetime(2024, 1, 1) + timedelta(days=day)  # noqa: DTZ001
        yield {"id": day, "updated_at": at.date().isoformat()}


@dlt.resource(table_name=lambda row: row["type"])
def mixed() -> Iterator[Any]:
    """Rows of two tables."""
    yield [{"type": "push", "n": 1}, {"type": "watch", "n": 2}, {"type": "push", "n": 3}]


@dlt.resource
def leaky(token: str = dlt.secrets.value, key: str = "") -> Iterator[Any]:
    """An error that shows both secrets, as that of a request does."""
    raise requests.HTTPError(f"401 for http://x/?token={token}&key={key}")
    yield


def no_source() -> int:
    """Return what is no source."""
    return 3
