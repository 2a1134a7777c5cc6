"""What lies in a folder of models: variables, macros, and statements before and after a build."""

from datetime import date
from pathlib import Path

import pytest

from pipelines_project.marts.build import build
from pipelines_project.marts.folder import read_models
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.variables import Value, checked_variables
from pipelines_project.warehouse.database import Warehouse

SQL = "select unnest([1, 2, 3]) as n"


def _marts(folder: Path, variables: dict[str, Value] | None = None, **files: str) -> list[Mart]:
    """Return the marts of a folder with these files, where `__` in a name is a dot."""
    (folder / "macros").mkdir(exist_ok=True)
    for name, sql in files.items():
        path = folder / f"{name.replace('__', '.')}.sql"
        (folder / "macros" / path.name if name.startswith("macro") else path).write_text(sql)
    return [Mart("demo", model) for model in read_models(folder, variables or {})]


@pytest.mark.parametrize(
    "value",
    ["it's; drop table x --", "", 7, -7, 1.5, True, False, date(2024, 2, 29), ["a'", "b"], [1, 2]],
)
def test_a_variable_is_its_value_wherever_its_name_is_one(
    tmp_path: Path, warehouse: Warehouse, value: Value
) -> None:
    sql = "select 1 + 0 as one, $value as v, '$value' as text -- $value, $unknown"
    (mart,) = _marts(tmp_path, {"value": value}, numbers=sql)

    build(warehouse, mart)

    [(one, stored, text)] = warehouse.rows("from demo_marts.numbers")
    assert (one, text) == (1, "$value")
    assert stored == value
    assert isinstance(stored, bool) is isinstance(value, bool)


@pytest.mark.parametrize("value", [None, {"a": 1}, [[1]], [1, "a"], b"x", float("inf")])
def test_a_value_that_sql_has_no_literal_for_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="level is "):
        checked_variables({"level": value})


@pytest.mark.every_warehouse
def test_models_call_macros_of_their_folder(tmp_path: Path, warehouse: Warehouse) -> None:
    macros = "create macro half(x) as x / 2; create or replace macro q(x, y := 2) as half(x) / y"
    (mart,) = _marts(tmp_path, numbers="select q(8) as two, q(8, y := 1) as four", macro_a=macros)

    build(warehouse, mart)

    assert warehouse.rows("from demo_marts.numbers") == [(2.0, 4.0)]
    # They are of the session, so that a warehouse that has no macros can have the mart.
    macros = "select count(*) from duckdb_functions() where function_name in ('half', 'q')"
    assert warehouse.rows(macros) == [(0,)]


@pytest.mark.parametrize(
    ("macro", "reason"),
    [
        ("create macro m() as (select max(n) from demo.t)", "m reads a table"),
        ("create macro m() as table select 1", "a macro is written CREATE MACRO"),
        ("create table t as select 1", "a macro is written CREATE MACRO"),
        ("create macro m(", "syntax error"),
        ("begin", "begin may not stand here"),
    ],
)
def test_a_macro_that_is_none_is_refused_with_its_file(
    tmp_path: Path, macro: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=r"macro_a\.sql: ") as refusal:
        _marts(tmp_path, numbers=SQL, macro_a=macro)

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("header", "macro", "reason"),
    [
        ("materialized: view", "create macro m(x) as x", "a view cannot call m"),
        ("incremental: month", "create macro m(x) as x + random()", "random gives another answer"),
        ("incremental: month", "create macro m(x) as sum(x) over ()", "m has a window"),
    ],
)
def test_a_macro_that_the_kind_of_model_cannot_call_is_refused(
    tmp_path: Path, header: str, macro: str, reason: str
) -> None:
    sql = f"-- {header}\nselect month, m(n) as n from demo.t"

    with pytest.raises(ValueError, match=reason):
        _marts(tmp_path, numbers=sql, macro_a=macro)


def test_statements_beside_a_model_run_before_and_after_it(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    before = "create or replace table demo_marts.factors as select $by as factor"
    after = "create index if not exists of_n on demo_marts.numbers (n); -- done;\n"
    sql = "select n * factor as n from (select unnest([1, 2]) as n), demo_marts.factors"
    files = {"numbers__before": before, "numbers": sql, "numbers__after": after}
    (mart,) = _marts(tmp_path, {"by": 3}, **files)

    assert [build(warehouse, mart).unchanged for _ in range(2)] == [False, True]

    assert warehouse.rows("select n from demo_marts.numbers order by n") == [(3,), (6,)]
    assert warehouse.rows("select index_name from duckdb_indexes()") == [("of_n",)]


@pytest.mark.parametrize("place", ["numbers__before", "numbers__after"])
def test_a_statement_that_fails_leaves_the_mart_as_it_was(
    tmp_path: Path, warehouse: Warehouse, place: str
) -> None:
    (mart,) = _marts(tmp_path, numbers=SQL)
    build(warehouse, mart)
    failing = "create table demo_marts.x (n int); select error('no')"
    (tmp_path / f"{place.replace('__', '.')}.sql").write_text(failing)
    (mart,) = _marts(tmp_path, numbers="select 9 as n")

    with pytest.raises(Exception, match="no"):
        build(warehouse, mart)

    assert warehouse.rows("select sum(n) from demo_marts.numbers") == [(6,)]
    tables = "select table_name from duckdb_tables() where schema_name = 'demo_marts'"
    assert warehouse.rows(tables) == [("numbers",)]


@pytest.mark.parametrize("sql", ["commit", "attach 'x.duckdb'", "detach warehouse"])
def test_a_statement_that_would_end_the_transaction_is_refused(tmp_path: Path, sql: str) -> None:
    with pytest.raises(ValueError, match=r"numbers\.after\.sql: .* may not stand here"):
        _marts(tmp_path, numbers=SQL, numbers__after=f"select 1; {sql}")


def test_statements_of_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nmubers\.after\.sql: there is no model nmubers\.sql"):
        _marts(tmp_path, numbers=SQL, nmubers__after="select 1")


@pytest.mark.stack
@pytest.mark.every_warehouse
def test_a_view_shows_rows_that_come_later_and_can_become_a_table(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    with warehouse.connect() as connection:
        connection.execute("create schema demo; create table demo.t as select 1 as n")
    (view,) = _marts(tmp_path, numbers="-- materialized: view\nselect n from demo.t")
    assert build(warehouse, view).content is None
    with warehouse.connect() as connection:
        connection.execute("insert into demo.t values (2)")
    assert warehouse.rows("select sum(n) from demo_marts.numbers") == [(3,)]

    (table,) = _marts(tmp_path, numbers="select n from demo.t")
    for mart in (table, table, view, table):
        assert build(warehouse, mart).rows == 2
    assert warehouse.rows("select count(*) from duckdb_views() where not internal") == [(0,)]
