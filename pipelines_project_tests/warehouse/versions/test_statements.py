"""The statements that may stand in a version are understood whole, or refused."""

import pytest

from pipelines_project.warehouse.versions.changes import (
    Change,
    ChangeType,
    CreateIndex,
    DropColumn,
    DropIndex,
    DropTable,
    RenameColumn,
)
from pipelines_project.warehouse.versions.statements import parse

UNDERSTOOD = {
    "alter table shop.orders rename column a to b": RenameColumn("orders", "a", "b"),
    'ALTER TABLE "shop"."orders" RENAME COLUMN "a" TO "b"': RenameColumn("orders", "a", "b"),
    "alter table shop.orders drop column a": DropColumn("orders", "a"),
    "alter table shop.orders alter column a type int": ChangeType("orders", "a", "INTEGER"),
    "alter table shop.orders alter a set data type decimal(10, 2)": ChangeType(
        "orders", "a", "DECIMAL(10,2)"
    ),
    "alter table shop.orders alter column a type timestamptz": ChangeType(
        "orders", "a", "TIMESTAMP WITH TIME ZONE"
    ),
    "create index by_a on shop.orders (a, b)": CreateIndex("orders", "by_a", ("a", "b")),
    "create index if not exists by_a on shop.orders (a)": CreateIndex("orders", "by_a", ("a",)),
    "drop index shop.by_a": DropIndex("by_a"),
    "drop table if exists shop.orders": DropTable("orders"),
}


@pytest.mark.parametrize("sql", UNDERSTOOD)
def test_a_statement_says_what_is_changed(sql: str) -> None:
    assert parse(sql, "shop") == (UNDERSTOOD[sql],)


@pytest.mark.parametrize("change", UNDERSTOOD.values())
def test_what_is_run_says_the_same_as_what_was_read(change: Change) -> None:
    assert parse(change.sql("shop"), "shop") == (change,)


def test_statements_follow_each_other_with_comments_between() -> None:
    sql = (
        "-- why\nalter table shop.orders drop column a; /* and */\ndrop index shop.by_b;\n-- end\n"
    )

    assert parse(sql, "shop") == (DropColumn("orders", "a"), DropIndex("by_b"))


@pytest.mark.parametrize(
    "sql",
    [
        "update shop.orders set a = 1",
        "delete from shop.orders",
        "insert into shop.orders values (1)",
        "create table shop.orders (a int)",
        "create view shop.v as select 1",
        "drop view shop.orders",
        "drop schema shop",
        "attach 'other.duckdb'",
        "copy shop.orders to 'file.csv'",
        "commit",
        "vacuum",
        "select 1",
        "alter table shop.orders add column a int",
        "alter table shop.orders rename to others",
        "alter view shop.orders rename column a to b",
        "alter table shop.orders alter column a drop not null",
        "alter table shop.orders alter column a type int using length(a)",
        "alter table shop.orders drop column if exists a",
        "alter table shop.orders drop column a cascade",
        "alter table shop.orders drop column a, drop column b",
        "alter table orders drop column a",
        "alter table other.orders drop column a",
        "alter table warehouse.shop.orders drop column a",
        "create unique index i on shop.orders (a)",
        "create index i on shop.orders (a desc)",
        "create index i on shop.orders (lower(a))",
        "create index i on shop.orders (a) where a > 1",
        "create index on shop.orders (a)",
        "drop index by_a",
        "drop table shop.orders, shop.others",
    ],
)
def test_any_other_statement_is_refused_and_quoted(sql: str) -> None:
    with pytest.raises(ValueError, match="only these can stand here, with tables as shop"):
        parse(f"alter table shop.orders drop column z; {sql}", "shop")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("alter table shop.orders rename column month to m", "month says which month"),
        ("alter table shop.orders rename column a to month", "month says which month"),
        ('alter table shop.orders rename column "A b" to b', "'A b' is no name"),
        ("alter table shop.orders rename column A to b", "'A' is no name"),
        ("alter table shop.orders alter column a type money", "money does not exist"),
        ("alter table (", "it is no SQL"),
    ],
)
def test_what_cannot_be_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(sql, "shop")
