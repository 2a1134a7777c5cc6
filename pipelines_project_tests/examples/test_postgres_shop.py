"""The shop in PostgreSQL, made, looked at, landed and loaded as its README says."""

from pathlib import Path

import pytest

from pipelines_project_tests.examples.reader import checkout

pytestmark = [pytest.mark.stack, pytest.mark.long]


def test_twenty_tables_are_landed_and_loaded_for_six_months(tmp_path: Path) -> None:
    place = checkout(tmp_path)

    printed = place.follow("examples/postgres_shop/README.md")

    assert "200001" in printed
    assert "Category 9" in printed
    loaded = place.rows("select count(*) from duckdb_tables() where schema_name = 'shop'")
    assert loaded == [(20,)]
    orders = place.rows("select month, count(*) from shop.orders group by month order by month")
    assert orders == [(f"2024-{month:02d}", 200) for month in range(1, 7)]
    assert place.rows("select count(*) from shop.customers") == [(200,)]
    sold = "select sum(pieces * price) from shop.order_lines"
    assert place.rows("select sum(revenue) from shop_marts.category_months") == place.rows(sold)
