"""Which columns a column is made from, by every way that SQL has to hand one on."""

from pathlib import Path

import duckdb
import pytest
from duckdb_extensions import import_extension
from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import traverse_scope

from pipelines_project.marts.lineage import column_lineage
from pipelines_project.marts.model import parse_model

_SCHEMAS = {"s.a": {"id": "INT", "x": "INT", "y": "INT"}, "s.b": {"id": "INT", "z": "INT"}}


@pytest.mark.parametrize(
    ("sql", "origins"),
    [
        ("select x from s.a", {"x": "a.x"}),
        (
            "select x as renamed, 1 as one, count(*) as rows from s.a group by x",
            {"renamed": "a.x", "one": "", "rows": ""},
        ),
        ("from s.b", {"id": "b.id", "z": "b.z"}),
        (
            "select a.* exclude (id), z from s.a join s.b using (id)",
            {"x": "a.x", "y": "a.y", "z": "b.z"},
        ),
        ("select x, z from s.a join s.b on a.id = b.id where y > 1", {"x": "a.x", "z": "b.z"}),
        ("select case when x > 1 then y else z end as c from s.a, s.b", {"c": "a.x a.y b.z"}),
        ("select sum(x) over (partition by y order by id) as w from s.a", {"w": "a.id a.x a.y"}),
        (
            "with t as (select x + y as n from s.a), u as (select n * 2 as m from t) "
            "select m from u",
            {"m": "a.x a.y"},
        ),
        ("with T as (select x from s.a) select X as x from t", {"x": "a.x"}),
        ("select n from (select max(x) as n from s.a)", {"n": "a.x"}),
        ("select x as c from s.a union all select z from s.b", {"c": "a.x b.z"}),
        ("select (select max(z) from s.b) as m, x from s.a", {"m": "b.z", "x": "a.x"}),
        ("select x from s.a semi join s.b using (id)", {"x": "a.x"}),
        (
            "select left.x as l, right.x as r from s.a as left, s.a as right",
            {"l": "a.x", "r": "a.x"},
        ),
        ("select x as p, p + 1 as q from s.a", {"p": "a.x", "q": "a.x"}),
        ("select cast(x as varchar) || y as t from s.a", {"t": "a.x a.y"}),
        ("with a as (select z as x from s.b) select x from a", {"x": "b.z"}),
        (
            "select x from s.a where exists (select 1 from s.b where b.id = a.id)",
            {"x": "a.x"},
        ),
        ("select (select max(z) from s.b where b.id = a.id) as m from s.a", {"m": "b.z"}),
        ("select * replace (x + y as x) from s.a", {"id": "a.id", "x": "a.x a.y", "y": "a.y"}),
        ("select sum(x) filter (where y > 0) as f from s.a", {"f": "a.x a.y"}),
        (
            "select x, row_number() over (partition by y order by id) as n from s.a qualify n = 1",
            {"x": "a.x", "n": "a.id a.y"},
        ),
        (
            "with t as (select x as c from s.a union select z from s.b) select c + 1 as d from t",
            {"d": "a.x b.z"},
        ),
        ("with t as (select {'p': x} as s from s.a) select s.p as p from t", {"p": "a.x"}),
        ("select u from (select unnest([x, y]) as u from s.a)", {"u": "a.x a.y"}),
        (
            "with t as (select * from s.a), u as (select * from t) select y from u",
            {"y": "a.y"},
        ),
        (
            "select k from (select id as k, x as v from s.a union by name select z as k from s.b)",
            {},
        ),
        ("select gone from s.a", {}),
    ],
)
def test_a_column_is_made_from_those_that_it_names(
    tmp_path_factory: pytest.TempPathFactory, sql: str, origins: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("lineage") / "m.sql"
    path.write_text(sql)
    model = parse_model(path)

    schemas = {name: _SCHEMAS[name] for name in model.reads}
    found = column_lineage(model.query, schemas, [*origins] or ["some"])

    told = {c: " ".join(f"{t[2:]}.{n}" for t, n in origin) for c, origin in found.items()}
    assert told == origins


def test_a_column_without_a_name_is_called_as_the_database_calls_it(tmp_path: Path) -> None:
    (tmp_path / "m.sql").write_text("select x, count(*), sum(y) from s.a group by x")
    model = parse_model(tmp_path / "m.sql")

    found = column_lineage(model.query, _SCHEMAS, ["X", "count_star()", "sum(y)"])

    assert found == {"X": [("s.a", "x")], "count_star()": [], "sum(y)": [("s.a", "y")]}


@pytest.mark.stack
def test_the_tables_and_columns_that_queries_of_tpc_ds_are_made_from_are_told(
    tmp_path: Path,
) -> None:
    with duckdb.connect() as connection:
        import_extension("tpcds", con=connection)
        connection.load_extension("tpcds")
        connection.execute("create schema ds; use ds; call dsdgen(sf = 0)")
        tables = [name for (name,) in connection.execute("show tables").fetchall()]
        types = {f"ds.{table}": _columns(connection, f"from ds.{table}") for table in tables}
        queries = connection.execute("select query from tpcds_queries()").fetchall()
        for (query,) in queries:
            (tmp_path / "m.sql").write_text(sql := _with_schema(query, tables))
            model = parse_model(tmp_path / "m.sql")
            columns = [*_columns(connection, sql)]
            schemas = {name: types[name] for name in model.reads}
            assert [*column_lineage(model.query, schemas, columns)] == columns, sql
    assert len(queries) == 99


def _columns(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    described = connection.execute(f"describe {query}").fetchall()
    return {name: kind for name, kind, *_ in described}


def _with_schema(query: str, tables: list[str]) -> str:
    """Return a query that names its tables with their schema, as a mart must."""
    tree = parse_one(query, dialect="duckdb")
    for scope in traverse_scope(tree):
        for table in scope.tables:
            if table.name in tables and table.name not in scope.cte_sources:
                table.set("db", exp.to_identifier("ds"))
    return tree.sql("duckdb")
