"""Building a mart: what is swapped, what is not, and what a content tells apart."""

from pathlib import Path

import duckdb
import pytest

from pipelines_project.landing.content import columns_of, content_of
from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.warehouse.database import Warehouse

pytestmark = pytest.mark.every_warehouse


def _mart(folder: Path, sql: str) -> Mart:
    path = folder / "numbers.sql"
    path.write_text(sql)
    return Mart("demo", parse_model(path))


def _table_id(warehouse: Warehouse) -> int:
    """Return what another table of that name would have otherwise."""
    query = "select table_oid from duckdb_tables() where schema_name = 'demo_marts'"
    if warehouse.url.startswith("postgres"):
        query = "from postgres_query('warehouse', 'select ''demo_marts.numbers''::regclass::oid')"
    [(number,)] = warehouse.rows(query)
    return number


def test_a_mart_with_the_same_rows_in_another_order_is_not_swapped(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    first = build(warehouse, _mart(tmp_path, "select unnest(range(1000)) as n"))
    table = _table_id(warehouse)

    again = build(warehouse, _mart(tmp_path, "select unnest(range(999, -1, -1)) as n"))

    assert (first.unchanged, again.unchanged) == (False, True)
    assert again.content == first.content
    assert _table_id(warehouse) == table
    assert warehouse.rows("select count(*), sum(n) from demo_marts.numbers") == [(1000, 499500)]


@pytest.mark.parametrize(
    "other",
    [
        "select unnest([1, 1, 2]) as n, 'a' as t",
        "select unnest([1, 2, 2]) as n, 'a' as t",
        "select unnest([1, 2]) as n, 'a' as t",
        "select unnest([1, 2, 2, 2]) as n, 'a' as t",
        "select unnest([1, 2, null]) as n, 'a' as t",
        "select unnest([1, 2, 2]) as n, null as t",
        "select unnest([1, 2, 2]) as n, 'a' as u",
        "select unnest([1, 2, 2])::bigint as n, 'a' as t",
    ],
)
def test_a_mart_whose_rows_or_columns_differ_is_swapped(
    tmp_path: Path, warehouse: Warehouse, other: str
) -> None:
    build(warehouse, _mart(tmp_path, "select unnest([1, 2, 2]) as n, 'a' as t"))
    build(warehouse, _mart(tmp_path, "select unnest([1, 2, 2]) as n, 'a' as t, 0 as more"))

    built = build(warehouse, _mart(tmp_path, other))

    assert not built.unchanged
    expected = duckdb.sql(other).fetchall()
    assert sorted(warehouse.rows("from demo_marts.numbers"), key=str) == sorted(expected, key=str)


def test_rows_that_someone_has_changed_by_hand_are_built_again(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    mart = _mart(tmp_path, "select unnest(range(3)) as n")
    build(warehouse, mart)
    with warehouse.connect() as connection:
        connection.execute("update demo_marts.numbers set n = 7 where n = 1")

    assert not build(warehouse, mart).unchanged
    assert warehouse.rows("select n from demo_marts.numbers order by n") == [(0,), (1,), (2,)]


def test_a_few_rows_are_read_only_where_they_are_to_be_shown(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    mart = _mart(tmp_path, "select 7 as n, 'a' as t")

    hidden, shown = build(warehouse, mart).sample, build(warehouse, mart, shows_rows=True).sample

    assert hidden is None
    assert shown is not None
    assert (shown.columns, shown.rows) == (["n", "t"], [("7", "a")])


@pytest.mark.stack
def test_rows_that_exchange_a_value_have_another_content() -> None:
    with duckdb.connect() as connection:
        contents = set[str]()
        for number in range(200):
            for pairs in ("(a, 1), (b, 2)", "(a, 2), (b, 1)"):
                rows = pairs.replace("a", str(number)).replace("b", str(number + 1))
                relation = f"(select * from (values {rows}) as t (x, y))"
                contents.add(content_of(connection, relation, columns_of(connection, relation))[1])

    assert len(contents) == 400
