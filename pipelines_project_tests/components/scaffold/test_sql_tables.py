"""The document that is proposed for a database: keys, months, choices, odd names, and no secret."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest

from pipelines_project.components.scaffold.sql_tables import SqlTablesScaffolder
from pipelines_project.months import month_of
from pipelines_project_tests.components.scaffold.scaffolding import (
    comment_above,
    scaffolded,
    tables_of,
)
from pipelines_project_tests.document_location import document_location

SHOP = """
create table orders (
  id integer primary key, created_at datetime not null, updated_at datetime not null, paid_on date
);
insert into orders values (1, '2023-01-02', '2023-03-01', null),
  (2, '2023-02-01', '2023-02-01', null);
create table customers (id integer primary key, name text, born date not null);
create table "Order Lines" ("Order" int not null, line int not null, unique ("Order", line));
create table notes (text text);
create table visits (id integer primary key, "visitedOn" text not null);
create view paid as select * from orders;
"""
ODD = [
    "2024",
    "None",
    "'x'",
    "{{ env.HOME }}",
    "{1}",
    "yes",
    "a: b #",
    "ß",
    "заказы",
    "x_quarantine",
]


def shop_document(tmp_path: Path, **params: Any) -> str:
    given = {"connection": "SHOP_URL", "start_month": "2023-01", **params}
    return scaffolded(SqlTablesScaffolder, "SqlTables", tmp_path / "shop", **given)


def refused(tmp_path: Path, **params: Any) -> str:
    with pytest.raises(click.ClickException) as caught:
        shop_document(tmp_path, **params)
    # So that it can be tried again: Dagster refuses a folder that is there.
    assert not (tmp_path / "shop").exists()
    return caught.value.message


@pytest.fixture
def shop_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    file = tmp_path / "s3cret.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(SHOP)
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{file}")
    return str(file)


def test_keys_and_months_come_from_the_catalogue_and_choices_are_comments(
    shop_file: str, tmp_path: Path
) -> None:
    document = shop_document(tmp_path)

    assert tables_of(document) == {
        "customers": {"name": "customers", "table": "customers", "key": ["id"]},
        "notes": {"name": "notes", "table": "notes"},
        "order_lines": {"name": "order_lines", "table": "Order Lines", "key": ["order", "line"]},
        "orders": {
            "name": "orders",
            "table": "orders",
            "key": ["id"],
            "month_column": "created_at",
        },
        "visits": {
            "name": "visits",
            "table": "visits",
            "key": ["id"],
            "month_column": "visitedOn",
        },
    }
    assert "born (changes later)" in comment_above(document, "customers")
    assert "No primary key: add key" in comment_above(document, "notes")
    assert "no column has dates" in comment_above(document, "notes")
    assert "Order, line is unique" in comment_above(document, "order_lines")
    assert "created_at is a guess" in comment_above(document, "orders")
    assert "paid_on (can be null" in comment_above(document, "orders")
    assert comment_above(document, "visits") == ""
    assert "s3cret" not in document


@pytest.mark.stack
def test_the_document_loads_unchanged_and_lands_a_month(shop_file: str, tmp_path: Path) -> None:
    with document_location(tmp_path, shop_document(tmp_path)) as shop:
        run = shop.materialize("2023-01", "landing/shop/orders", "warehouse/shop/orders")
        assert run.result.success
        assert shop.rows("select id, month from shop.orders") == [(1, "2023-01")]


@pytest.mark.stack
def test_the_marts_document_loads_when_its_comment_signs_are_taken_away(
    shop_file: str, tmp_path: Path
) -> None:
    document, _, marts = shop_document(tmp_path).partition("# ---")
    marts = "\n".join(line.removeprefix("#").removeprefix(" ") for line in marts.splitlines())

    with document_location(tmp_path, f"{document}---{marts}\n") as shop:
        assert len(shop.defs.resolve_all_asset_specs()) == 10


def test_views_are_proposed_where_they_are_wanted(shop_file: str, tmp_path: Path) -> None:
    assert "paid" in tables_of(shop_document(tmp_path, views=True))


@pytest.mark.stack
def test_names_that_yaml_or_a_template_would_change_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{tmp_path}/odd.sqlite")
    with closing(sqlite3.connect(tmp_path / "odd.sqlite")) as connection:
        for name in ODD:
            connection.execute(f'create table "{name}" (id integer primary key, "{name}" text)')

    document = shop_document(tmp_path)
    tables = tables_of(document)
    assert len(tables) == len(ODD) - 1
    assert "Left out: {{ env.HOME }}" in document
    with document_location(tmp_path, document) as shop:
        this_month = month_of(datetime.now(UTC))
        keys = [f"landing/shop/{name}" for name in tables]
        assert shop.materialize(this_month, *keys).result.success


@pytest.mark.stack
def test_patterns_choose_schemas_tables_and_no_partitions_of_postgres(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", postgres)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create schema sales")
        try:
            connection.execute(
                "create table sales.orders (id bigint primary key, at timestamptz not null)"
            )
            connection.execute("comment on table sales.orders is 'One row is an order.'")
            connection.execute("create table sales.old_orders (id int)")
            connection.execute(
                "create table sales.events (id int, created date not null, primary key (id, "
                "created)) partition by range (created)"
            )
            connection.execute(
                "create table sales.events_2024 partition of sales.events "
                "for values from ('2024-01-01') to ('2025-01-01')"
            )
            connection.execute("insert into sales.events values (1, '2024-02-29')")
            document = shop_document(tmp_path, pattern=["sales.o*s", "sales.e*"])
            with document_location(tmp_path, document) as shop:
                assert shop.materialize("2024-02", "landing/shop/events").result.success
        finally:
            connection.execute("drop schema sales cascade")
    tables = tables_of(document)
    assert [*tables] == ["events", "old_orders", "orders"]
    assert tables["orders"] == {
        "name": "orders",
        "table": "sales.orders",
        "description": "One row is an order.",
        "key": ["id"],
        "month_column": "at",
    }
    assert tables["events"]["month_column"] == "created"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"connection": "postgresql://reader:s3cret@db/shop"}, "name of an environment variable"),
        ({"connection": None}, "--connection is needed"),
        ({"connection": "NOT_SET"}, "NOT_SET is not set"),
        ({"start_month": "2023"}, "not a month"),
        ({"start_month": None}, "--start-month is needed"),
        ({"pattern": ["sales.*"]}, "no table that fits sales.*"),
    ],
)
def test_what_cannot_be_proposed_is_said_and_leaves_no_folder(
    shop_file: str, tmp_path: Path, params: dict[str, Any], said: str
) -> None:
    message = refused(tmp_path, **params)
    assert said in message
    assert "s3cret" not in message


def test_an_error_of_the_database_does_not_show_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://reader:s3cret@127.0.0.1:1/shop")
    message = refused(tmp_path)
    assert "the database that SHOP_URL names" in message
    assert "s3cret" not in message


def test_a_document_that_is_there_is_not_written_again(shop_file: str, tmp_path: Path) -> None:
    shop_document(tmp_path)
    before = (tmp_path / "shop" / "defs.yaml").read_text()
    with pytest.raises(click.ClickException, match="is there already"):
        shop_document(tmp_path, pattern=["orders"])
    assert (tmp_path / "shop" / "defs.yaml").read_text() == before
