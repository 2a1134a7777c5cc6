"""A model is one SELECT, and what it reads is found in its own text."""

from pathlib import Path

import pytest

from pipelines_project.marts.model import SqlModel, parse_model


def _model(folder: Path, sql: str, name: str = "monthly") -> SqlModel:
    path = folder / f"{name}.sql"
    path.write_text(sql, encoding="utf-8")
    return parse_model(path)


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("select 1", ()),
        ("select * from chess.games;\n", ("chess.games",)),
        ("from chess.games", ("chess.games",)),
        ("select * from chess.b join chess.a using (id) join chess.b as again on true", "b a"),
        ("select * from chess.b union all (select * from chess.a)", "b a"),
        ("with g as (select * from chess.a) select * from g join chess.b using (id)", "a b"),
        ("with unread as (select * from chess.a) select * from chess.b", "a b"),
        ("with a as (select * from chess.b), c as (from a) select * from c", "b"),
        ("with g as (select * from chess.a) select * from chess.b as g", "a b"),
        (
            "with recursive t as (select 1 as n union all select n + 1 from t where n < 5) from t",
            (),
        ),
        ("select (select count(*) from chess.b) from chess.a", "b a"),
        ("select * from chess.a where id in (select id from chess.b)", "b a"),
        ("select * from chess.a where exists (with q as (from chess.b) select * from q)", "b a"),
        (
            "select * from chess.a semi join chess.b using (id) anti join chess.c using (id)",
            "a b c",
        ),
        ("select * from chess.a, lateral (select * from chess.b where b.id = a.id)", "b a"),
        ("select * from chess.a join (chess.b join chess.c using (id)) using (id)", "a b c"),
        ("select * from chess.a, unnest(a.tags) as t(tag)", "a"),
        ("select * from (values (1)) as v(n)", ()),
        ("select * from chess.a pivot (sum(n) for kind in ('x', 'y'))", "a"),
        ("select * from chess.a qualify row_number() over (partition by id) = 1", "a"),
    ],
)
def test_the_tables_that_a_model_reads_come_in_the_order_of_their_scopes(
    tmp_path: Path, sql: str, reads: tuple[str, ...] | str
) -> None:
    expected = tuple(f"chess.{t}" for t in reads.split()) if isinstance(reads, str) else reads

    assert _model(tmp_path, sql).reads == expected


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("", "a model is one SELECT"),
        ("-- nothing yet", "a model is one SELECT"),
        ("select 1; select 2", "a model is one SELECT"),
        ("select 1; drop table chess.games", "a model is one SELECT"),
        ("create table t as select 1", "a model is one SELECT"),
        ("insert into chess.games select 1", "a model is one SELECT"),
        ("delete from chess.games", "a model is one SELECT"),
        ("copy chess.games to 'games.parquet'", "a model is one SELECT"),
        ("attach 'other.duckdb'", "a model is one SELECT"),
        ("summarize chess.games", "a model is one SELECT"),
        ("pivot chess.games on rated using sum(n)", "a model is one SELECT"),
        ("selec * frm chess.games", "Invalid expression"),
        ("select * from chess.games where", "monthly.sql"),
        ("select * from games", "cannot resolve games"),
        ("select * from chess.games join moves using (id)", "cannot resolve moves"),
        ("select * from chess.games semi join moves using (id)", "cannot resolve moves"),
        ("with a as (select * from b), b as (from chess.games) select * from a", "resolve b"),
        ("with games as (select * from games) select * from games", "cannot resolve games"),
        ("select * from (pivot chess.games on rated using sum(n))", "cannot resolve chess.games"),
        ("from (summarize chess.games)", "cannot resolve chess.games"),
        ("from (describe chess.games)", "cannot resolve chess.games"),
        ("select * from read_parquet('games.parquet')", "cannot resolve READ_PARQUET"),
        ("select * from query_table('chess.games')", "cannot resolve QUERY_TABLE"),
        ("select * from range(3)", "cannot resolve RANGE"),
        ("select * from chess.latest(3)", "cannot resolve chess.LATEST"),
        ("select * from 'games.parquet'", 'cannot resolve "games.parquet"'),
        ('select * from "games.parquet"', 'cannot resolve "games.parquet"'),
        ("select * from other.chess.games", "cannot resolve other.chess.games"),
        ("select * from chess.a as x join chess.b as x using (id)", "Alias already used: x"),
        ("select * into kept from chess.games", "cannot resolve kept"),
    ],
)
def test_a_model_that_cannot_be_resolved_is_an_error_that_names_the_file(
    tmp_path: Path, sql: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match="monthly") as refusal:
        _model(tmp_path, sql)

    assert str(tmp_path / "monthly.sql") in str(refusal.value)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("name", ["Monthly", "by month", "a-b", "_a", "2023", "a" * 61, "añ"])
def test_a_model_is_named_as_a_table_can_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        _model(tmp_path, "select 1", name)


def test_the_description_is_the_comment_that_the_file_begins_with(tmp_path: Path) -> None:
    model = _model(tmp_path, "-- Games by month,\n--and more.\nselect 1 -- one\n-- the end\n")

    assert model.description == "Games by month, and more."
    assert model.name == "monthly"
    assert _model(tmp_path, "select 1\n-- not this").description == ""


def test_comments_in_the_select_list_describe_columns_and_the_yaml_file_comes_first(
    tmp_path: Path,
) -> None:
    (tmp_path / "monthly.tests.yaml").write_text("columns: {b: from the file, c: the third}")
    sql = """
        -- Games by month.
        select
            a, -- what a is
            n + 1 as b, -- not this
            c,
            count(*) as d -- how many
        from chess.games
        group by all
    """

    described = _model(tmp_path, sql).column_descriptions

    assert described == {
        "a": "what a is",
        "b": "from the file",
        "c": "the third",
        "d": "how many",
    }


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("materialized: tabel", "materialized is 'tabel': it is one of table, view, incremental"),
        ("incremental: day", "incremental is 'day': write month"),
        ("incremental: month\n-- materialized: view", "a view is not incremental"),
        ("lookback: 2", "lookback is for incremental models"),
        ("lookback: -1\n-- incremental: month", "lookback is '-1'"),
        ("lookbak: 1", "'lookbak' is no setting of a model"),
        ("lookback: 1\n-- lookback: 2", "lookback is set twice"),
    ],
)
def test_a_header_that_says_something_else_is_refused(
    tmp_path: Path, header: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=r"monthly\.sql: ") as refusal:
        _model(tmp_path, f"-- {header}\nselect month from chess.games")

    assert complaint in str(refusal.value)


def test_settings_are_no_part_of_the_description(tmp_path: Path) -> None:
    sql = "-- materialized: view\n-- One row is one game.\n-- Note: all of them.\nfrom chess.games"

    model = _model(tmp_path, sql)

    assert model.header.materialized == "view"
    assert model.description == "One row is one game. Note: all of them."
