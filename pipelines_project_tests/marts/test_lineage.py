"""Which columns a column is made from, by every way that SQL has to hand one on."""

import pytest

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
        ("select gone from s.a", {}),
    ],
)
def test_a_column_is_made_from_those_that_it_names(
    tmp_path_factory: pytest.TempPathFactory, sql: str, origins: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("lineage") / "m.sql"
    path.write_text(sql)
    model = parse_model(path)

    found = column_lineage(model.query, {name: _SCHEMAS[name] for name in model.reads})

    told = {c: " ".join(f"{t[2:]}.{n}" for t, n in origin) for c, origin in found.items()}
    assert told == origins
