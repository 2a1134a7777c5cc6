"""Building a mart by month: what is built, what is skipped, and when the whole table is."""

from pathlib import Path

import pytest

from pipelines_project.marts.month_rows import BuiltMonth
from pipelines_project.warehouse.altering import change_types
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.marts.month_tables import MonthTables

pytestmark = pytest.mark.every_warehouse

JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"
_SUMS = "select month, id, sum(n) as n from demo.a group by month, id"
_LATEST = """
    select month, id, max(n) over (partition by id order by cast(month || '-01' as date)
        range between interval 1 month preceding and current row) as n from demo.a
"""


@pytest.fixture
def tables(warehouse: Warehouse, tmp_path: Path) -> MonthTables:
    """The table `a` with a row in each of three months."""
    tables = MonthTables(warehouse, tmp_path)
    for number, month in enumerate((JANUARY, FEBRUARY, MARCH), 1):
        _load(tables, month, (1, number))
    return tables


def _load(tables: MonthTables, month: str, *rows: tuple[int, int]) -> None:
    tables.load("a", "id integer, n integer", month, rows)


def _told(months: dict[str, BuiltMonth]) -> dict[str, str]:
    def tell(month: BuiltMonth) -> str:
        return "skipped" if month.skipped else "unchanged" if month.unchanged else "built"

    return {month: tell(each) for month, each in months.items()}


def test_only_months_whose_loads_are_others_are_built(tables: MonthTables) -> None:
    mart = tables.mart(_SUMS)
    first = tables.build(mart, JANUARY)
    _load(tables, FEBRUARY, (1, 20), (2, 20))

    built = tables.build(mart, JANUARY, FEBRUARY, MARCH)

    assert first.whole == "it is built for the first time"
    assert [*first.months] == [JANUARY, FEBRUARY, MARCH]
    assert _told({**built.months}) == {JANUARY: "skipped", FEBRUARY: "built", MARCH: "skipped"}
    assert built.whole == ""
    assert built.months[FEBRUARY].rows == 2
    assert tables.rows(mart) == [
        (JANUARY, 1, 1),
        (FEBRUARY, 1, 20),
        (FEBRUARY, 2, 20),
        (MARCH, 1, 3),
    ]


@pytest.mark.stack
def test_a_month_that_was_loaded_again_with_the_same_rows_is_unchanged(tables: MonthTables) -> None:
    mart = tables.mart(_SUMS)
    before = tables.build(mart, FEBRUARY).months[FEBRUARY]
    _load(tables, FEBRUARY, (1, 1), (1, 1))

    again = tables.build(mart, FEBRUARY).months

    assert _told({**again}) == {FEBRUARY: "unchanged"}
    assert again[FEBRUARY].content == before.content
    assert _told({**tables.build(mart, FEBRUARY).months}) == {FEBRUARY: "skipped"}


@pytest.mark.stack
def test_a_month_that_loses_its_rows_is_built_to_none(tables: MonthTables) -> None:
    mart = tables.mart(_SUMS)
    tables.build(mart, JANUARY)
    _load(tables, FEBRUARY)

    assert tables.build(mart, FEBRUARY).months[FEBRUARY].rows == 0
    assert [row[0] for row in tables.rows(mart)] == [JANUARY, MARCH]
    assert _told({**tables.build(mart, FEBRUARY).months}) == {FEBRUARY: "skipped"}


@pytest.mark.stack
def test_a_month_that_was_not_asked_for_stays_until_it_is(tables: MonthTables) -> None:
    mart = tables.mart(_SUMS)
    tables.build(mart, JANUARY)
    _load(tables, JANUARY, (1, 10))
    _load(tables, MARCH, (1, 30))

    tables.build(mart, JANUARY)
    assert tables.rows(mart) == [(JANUARY, 1, 10), (FEBRUARY, 1, 2), (MARCH, 1, 3)]

    tables.build(mart, MARCH)
    assert tables.rows(mart) == tables.rows_of_full_build(mart)


@pytest.mark.stack
def test_a_window_that_looks_back_builds_the_month_after_a_changed_one(tables: MonthTables) -> None:
    mart = tables.mart(_LATEST, header="incremental: month\n-- lookback: 1")
    tables.build(mart, JANUARY)
    _load(tables, JANUARY, (1, 10))

    built = tables.build(mart, JANUARY, FEBRUARY, MARCH)

    assert _told({**built.months}) == {JANUARY: "built", FEBRUARY: "built", MARCH: "skipped"}
    assert tables.rows(mart) == [(JANUARY, 1, 10), (FEBRUARY, 1, 10), (MARCH, 1, 3)]


@pytest.mark.stack
def test_a_mart_over_a_mart_follows_its_months(tables: MonthTables) -> None:
    lower = tables.mart(_SUMS, "lower")
    upper = tables.mart("select month, sum(n) as n from demo_marts.lower group by month", "upper")
    tables.build(lower, JANUARY)
    tables.build(upper, JANUARY)
    _load(tables, JANUARY, (1, 1))
    _load(tables, MARCH, (1, 30))

    tables.build(lower, JANUARY, FEBRUARY, MARCH)
    built = tables.build(upper, JANUARY, FEBRUARY, MARCH)

    assert _told({**built.months}) == {JANUARY: "skipped", FEBRUARY: "skipped", MARCH: "built"}
    assert tables.rows(upper) == [(JANUARY, 1), (FEBRUARY, 2), (MARCH, 30)]


@pytest.mark.stack
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (_SUMS.replace("sum(n)", "max(n)"), "its SQL, or the type of a column, has changed"),
        (_SUMS.replace("sum(n)", "sum(n) + 1"), "its SQL, or the type of a column, has changed"),
    ],
)
def test_another_model_builds_every_month(tables: MonthTables, sql: str, reason: str) -> None:
    tables.build(tables.mart(_SUMS), JANUARY)
    mart = tables.mart(sql)

    built = tables.build(mart, MARCH)

    assert built.whole == reason
    assert _told({**built.months}) == dict.fromkeys((JANUARY, FEBRUARY, MARCH), "built")
    assert tables.rows(mart) == tables.rows_of_full_build(mart)


def test_a_column_whose_type_was_widened_builds_every_month(tables: MonthTables) -> None:
    mart = tables.mart("select month, n from demo.a")
    tables.build(mart, JANUARY)
    with tables.warehouse.connect() as connection:
        change_types(connection, "demo", "a", {"n": "BIGINT"})

    built = tables.build(mart, MARCH)

    assert built.whole == "its SQL, or the type of a column, has changed"
    assert built.schema == {"month": "VARCHAR", "n": "BIGINT"}


@pytest.mark.stack
def test_a_full_refresh_builds_every_month(tables: MonthTables) -> None:
    mart = tables.mart(_SUMS)
    tables.build(mart, JANUARY)
    with tables.warehouse.connect() as connection:
        connection.execute("update demo_marts.by_month set n = 99 where month = '2024-03'")
    assert _told({**tables.build(mart, MARCH).months}) == {MARCH: "skipped"}

    built = tables.build(mart, JANUARY, full_refresh=True)

    assert built.whole == "full_refresh"
    assert tables.rows(mart) == tables.rows_of_full_build(mart)


def test_rows_that_someone_has_deleted_are_built_again(tables: MonthTables) -> None:
    mart = tables.mart(_SUMS)
    tables.build(mart, JANUARY)
    with tables.warehouse.connect() as connection:
        connection.execute("delete from demo_marts.by_month where month = '2024-03'")

    assert _told({**tables.build(mart, MARCH).months}) == {MARCH: "built"}
    assert tables.rows(mart) == tables.rows_of_full_build(mart)


@pytest.mark.stack
def test_sql_that_fails_for_a_month_leaves_rows_and_ledger(tables: MonthTables) -> None:
    mart = tables.mart("select month, case when n < 9 then n else error('no') end as n from demo.a")
    tables.build(mart, JANUARY)
    before = tables.rows(mart)
    ledger = tables.warehouse.rows("from ledger.mart_months order by all")
    _load(tables, JANUARY, (1, 4))
    _load(tables, MARCH, (1, 10))

    with pytest.raises(Exception, match="no"):
        tables.build(mart, JANUARY, MARCH)

    assert tables.rows(mart) == before
    assert tables.warehouse.rows("from ledger.mart_months order by all") == ledger
    assert _told({**tables.build(mart, JANUARY).months}) == {JANUARY: "built"}
