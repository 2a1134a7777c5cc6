"""Models whose months hang on themselves alone come to a full build; others are refused."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines_project.marts.model import parse_model
from pipelines_project.sql_text import literal
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.marts.month_tables import MonthTables

_MONTHS = [f"2024-{number:02}" for number in range(1, 7)]
_KEY = "cast(month || '-01' as date)"

BY_MONTH = [
    "select month, id, n from demo.a",
    "from demo.a",
    "select a.* from demo.a",
    "select * exclude (n) from demo.a as x",
    "select month, count(*) as rows, sum(n) as n from demo.a group by month",
    "select id, sum(n) as n, month from demo.a group by 1, 3 having sum(n) > 2",
    "select month, id, max(n) from demo.a group by all order by id",
    "select distinct id, month from demo.a",
    "select distinct on (month, id) month, id from demo.a",
    "select month, id, row_number() over (partition by month order by id, n) as r from demo.a",
    "select month, id from demo.a qualify rank() over (partition by month order by n, id) = 1",
    "select month, sum(n) over w as s from demo.a window w as (partition by month, id)",
    "with x as (select month, id from demo.a where n > 1) select month, "
    "count(*) c from x group by 1",
    "select month, c from (select month, count(*) as c from demo.a group "
    "by month) as t where c > 1",
    "select a.month, a.id, b.m from demo.a join demo.b on a.id = b.id and a.month = b.month",
    "select month, id, m from demo.a join demo.b using (month, id)",
    "select month, a.id, m from demo.a left join demo.b using (id, month)",
    "select a.month, b.m from demo.a, demo.b where a.id = b.id and b.month = a.month",
    "select a.month, a.id from demo.a semi join demo.b on a.month = b.month and a.id = b.id",
    "select a.month, a.id from demo.a anti join demo.b on a.month = b.month and a.id = b.id",
    "select month, id from demo.a union all select month, id from demo.b",
    "select month, id from demo.a except select month, id from demo.b",
    "select id, month from demo.a union by name select month, id, m from demo.b",
    "select month, name from demo.a join (values (1, 'one')) as names (id, name) using (id)",
    "with names as (select 1 as id union all select 2) select month, id "
    "from names join demo.a using (id)",
    "select month, unnest([id, n]) as x from demo.a",
    "select month, x.v from demo.a, unnest([id, n]) as x (v)",
    'select "Month", id from demo.a'.replace('"Month"', "MONTH"),
    "select month, (select max(v) from (values (1), (2)) as t (v)) as v from demo.a",
    "select month, ' limit now()' as t from demo.a -- limit 3",
]

LOOKING_BACK = [
    (
        1,
        f"select month, id, sum(n) over (partition by id order by {_KEY} range between interval 1 "
        "month preceding and current row) as s from demo.a",
    ),
    (
        2,
        "select month, id, max(n) over (order by strptime(month, '%Y-%m') "
        "range interval '2 months' "
        "preceding) as s from demo.a",
    ),
    (
        2,
        f"with t as (select month, sum(n) over (order by {_KEY} range between interval 1 month "
        f"preceding and current row) as s from demo.a) select month, min(s) over (order by {_KEY} "
        "range between interval 1 month preceding and current row) as s from t",
    ),
    (
        3,
        "select month, count(*) over (order by cast(month || '-01' as date) "
        "range between interval 3 "
        "month preceding and interval 2 month preceding) as s from demo.a",
    ),
]

NOT_BY_MONTH = [
    ("select 1 as month", "reads no table"),
    ("select id from demo.a", "it must select one column month"),
    ("select n as month from demo.a", "month must be the column month"),
    ("select max(month) as month from demo.a", "month must be the column month"),
    ("select * replace (id as month) from demo.a", "it must select one column month"),
    ("select * exclude (month) from demo.a", "it must select one column month"),
    ("select columns(*) from demo.a", "it must select one column month"),
    ("select month, * from demo.a", "it must select one column month"),
    ("select month, id from demo.a limit 3", "LIMIT does not keep months apart"),
    ("select month, id from demo.a offset 3", "OFFSET"),
    ("select month from demo.a using sample 10%", "SAMPLE"),
    ("select month from demo.a tablesample 10%", "SAMPLE"),
    ("select month, sum(n) from demo.a group by rollup (month)", "group by month too"),
    ("select month, sum(n) from demo.a group by grouping sets ((month), (id))", "group by month"),
    ("select a.month from demo.a join demo.b using (id)", "join on month too"),
    ("select a.month from demo.a, demo.b", "join on month too"),
    (
        "select a.month from demo.a left join demo.b on a.id = b.id where a.month = b.month",
        "join on",
    ),
    (
        "select b.month from demo.a left join demo.b on a.month = b.month",
        "month must be the column",
    ),
    ("select b.month from demo.a right join demo.b using (month)", "keep months apart"),
    ("select month from demo.a full join demo.b using (month)", "keep months apart"),
    ("select a.month from demo.a asof join demo.b on a.month = b.month and a.id >= b.id", "METHOD"),
    ("select month from demo.a positional join demo.b", "months apart"),
    ("select month from demo.a natural join demo.b", "METHOD"),
    ("select a.month from demo.a join demo.b on a.month >= b.month", "join on month too"),
    ("select a.month from demo.a join demo.b on a.month = b.month or a.id = b.id", "join on month"),
    ("select month from demo.a where id in (select id from demo.b)", "instead of a subquery"),
    ("select month, (select max(n) from demo.a) as m from demo.a", "instead of a subquery"),
    ("select month from demo.a where exists (from demo.b where b.month = a.month)", "subquery"),
    ("with t as (select max(n) as n from demo.a) select month from demo.a, t", "join on month"),
    (
        "with t as (select id, max(month) as month from demo.a group by id) from t",
        "must be the col",
    ),
    (
        "select month, lag(n) over (partition by id order by month) as l from demo.a",
        "a window must",
    ),
    ("select month, sum(n) over () as s from demo.a", "a window must"),
    ("select month, sum(n) over w as s from demo.a window w as (order by id)", "a window must"),
    (
        f"select month, sum(n) over (order by {_KEY} desc range between "
        f"interval 1 month preceding and "
        "current row) as s from demo.a",
        "a window must",
    ),
    (
        f"select month, sum(n) over (order by {_KEY} range between interval 1 month preceding and "
        "interval 1 month following) as s from demo.a",
        "a window must",
    ),
    (f"select month, sum(n) over (order by {_KEY} rows 1 preceding) as s from demo.a", "a window"),
    (
        f"select month, sum(n) over (order by {_KEY} range between interval 1 month preceding and "
        "current row) as s from demo.a",
        "look 1 months back, and the header says 0",
    ),
    ("select month, now() as t from demo.a", "now gives another answer each time"),
    ("select month, random() as r from demo.a", "random gives another"),
    ("select month, current_date as d from demo.a", "current_date gives another"),
    ("select month, id from demo.a union all select id, month from demo.b", "the same column"),
    ("from demo.a union all from demo.b", "list the columns of both sides"),
    ("select distinct on (id) month, id from demo.a", "DISTINCT ON"),
    (
        "with recursive t as (select month from demo.a union all select month from t) from t",
        "recursive",
    ),
    ("select demo.a.month from demo.a", "name or alias alone"),
    ("select a.month from demo.a, lateral (select max(m) from demo.b) as t", "keep months apart"),
    ("from demo.a pivot (sum(n) for id in (1, 2))", "does not keep months apart"),
    ("select month from (demo.a join demo.b using (month))", "months apart"),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Warehouses with tables `a` and `b`, the second after two months were loaded again.

    There are some rows, some of them alike, in most of six months.
    """
    folder = tmp_path_factory.mktemp("prepared")
    before, after = folder / "before.duckdb", folder / "after.duckdb"
    _load(MonthTables(Warehouse(str(before)), folder), _MONTHS, random.Random(1))
    shutil.copy(before, after)
    _load(MonthTables(Warehouse(str(after)), folder, loads=100), _MONTHS[2:4], random.Random(2))
    return before, after


def _load(tables: MonthTables, months: Sequence[str], choice: random.Random) -> None:
    for month in months:
        for table, column in (("a", "n"), ("b", "m")):
            rows = [
                (choice.randint(1, 3), choice.randint(0, 4)) for _ in range(choice.randint(0, 6))
            ]
            tables.load(table, f"id integer, {column} integer", month, rows)


def _load_again(warehouse: Warehouse, after: Path) -> None:
    """Make the tables and their loads what they are in the other warehouse."""
    with warehouse.connect() as connection:
        connection.execute(f"attach {literal(str(after))} as after (read_only)")
        for table in ("demo.a", "demo.b", "ledger.loads"):
            connection.execute(f"truncate {table}; insert into {table} from after.{table}")


@pytest.mark.stack
@pytest.mark.parametrize(("lookback", "sql"), [*((0, sql) for sql in BY_MONTH), *LOOKING_BACK])
def test_months_built_one_by_one_come_to_the_full_build(
    prepared: tuple[Path, Path], warehouse: Warehouse, tmp_path: Path, lookback: int, sql: str
) -> None:
    before, after = prepared
    shutil.copy(before, warehouse.url)
    tables = MonthTables(warehouse, tmp_path)
    mart = tables.mart(sql, header=f"lookback: {lookback}\n-- incremental: month")
    tables.build(mart, _MONTHS[0])
    _load_again(warehouse, after)

    built = [tables.build(mart, *months) for months in (_MONTHS[3:], _MONTHS[:3])]

    assert [each.whole for each in built] == ["", ""]
    assert tables.rows(mart) == tables.rows_of_full_build(mart)
    assert any(tables.rows(mart))


@pytest.mark.parametrize(("sql", "reason"), NOT_BY_MONTH)
def test_a_model_whose_months_hang_on_others_is_refused(
    tmp_path: Path, sql: str, reason: str
) -> None:
    path = tmp_path / "refused.sql"
    path.write_text(f"-- incremental: month\n{sql}")

    with pytest.raises(ValueError, match=r"refused\.sql: ") as refusal:
        parse_model(path)

    assert reason in str(refusal.value)
