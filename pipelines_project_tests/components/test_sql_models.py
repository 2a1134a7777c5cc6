"""The component that makes SQL files into marts: what each reads, and how its table is replaced."""

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project.warehouse.database import Warehouse

_DEFS = """\
type: pipelines_project.components.ChessSource
attributes: {players: hikaru, contact: me@example.com, start_month: 2023-01}
---
type: pipelines_project.components.FreshdeskSource
attributes: {domain: acme, start_month: 2022-06}
---
type: pipelines_project.components.SqlModels
attributes:
  source: SOURCE
  vars: {least: 1500, since: 2024-01-31, name: "it's"}
  owners: [team:chess]
  tags: {tier: gold}
"""


@contextmanager
def _loaded(source: str = "chess", **models: str) -> Iterator[dg.Definitions]:
    """Give the definitions of a source with these models beside its defs.yaml."""
    with create_defs_folder_sandbox() as sandbox, warnings.catch_warnings():
        # Dagster warns of what it does itself; loading a real project hides that.
        warnings.simplefilter("ignore")
        marts = sandbox.defs_folder_path / "chess" / "marts"
        marts.mkdir(parents=True)
        (marts.parent / "defs.yaml").write_text(_DEFS.replace("SOURCE", source))
        for name, sql in models.items():
            (marts / f"{name}.sql").write_text(textwrap.dedent(sql))
        with sandbox.build_all_defs() as defs:
            yield defs


def _marts(defs: dg.Definitions) -> dict[str, dg.AssetsDefinition]:
    assets = [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)]
    return {asset.key.to_user_string(): asset for asset in assets if asset.key.path[0] == "marts"}


@pytest.mark.stack
def test_a_file_is_an_asset_that_depends_on_what_its_sql_reads() -> None:
    monthly = """\
        -- One row is one month.
        -- It counts games.
        with games as (select * from chess.games)
        select month, count(*) as games from games group by month
    """
    yearly = "select left(month, 4) as year, sum(games) from chess_marts.monthly group by 1"

    with _loaded(monthly=monthly, yearly=yearly) as defs:
        marts = _marts(defs)

    assert {
        key: [dep.to_user_string() for dep in mart.dependency_keys] for key, mart in marts.items()
    } == {
        "marts/chess/monthly": ["warehouse/chess/games"],
        "marts/chess/yearly": ["marts/chess/monthly"],
    }
    (spec,) = marts["marts/chess/monthly"].specs
    assert spec.description == "One row is one month. It counts games."
    assert spec.group_name == "chess"
    assert spec.owners == ["team:chess"]
    assert (spec.tags["tier"], spec.tags["layer"]) == ("gold", "marts")
    assert spec.kinds == {"sql", "duckdb"}
    assert "select month, count(*) as games from games group by month" in spec.metadata["sql"].value
    references = spec.metadata["dagster/code_references"].code_references
    assert "monthly.sql" in [each.label for each in references]
    assert marts["marts/chess/monthly"].op.pool == "warehouse"


@pytest.mark.stack
@pytest.mark.parametrize("source", ["chess", "reports"])
def test_marts_have_the_automation_of_their_source_or_one_of_their_own(source: str) -> None:
    with _loaded(source, monthly="select count(*) as games from chess.games") as defs:
        names = {sensor.name for sensor in defs.sensors or []}

    own = {"reports_automation"} if source == "reports" else set[str]()
    assert names == {"chess_automation", "freshdesk_automation", *own}


@pytest.mark.stack
def test_a_model_reads_tables_of_other_sources_and_has_values_of_variables() -> None:
    sql = "select id from chess.games join freshdesk.tickets using (id) where rating > $least"

    with _loaded(across=sql, strings="select $name as name, $since as since") as defs:
        marts = _marts(defs)

    assert marts["marts/chess/across"].dependency_keys == {
        dg.AssetKey(["warehouse", "chess", "games"]),
        dg.AssetKey(["warehouse", "freshdesk", "tickets"]),
    }


def test_a_model_by_month_has_the_months_of_its_source() -> None:
    lower = "-- incremental: month\nselect month, count(*) as games from chess.games group by month"
    upper = "-- incremental: month\nselect month, games from chess_marts.lower"

    with _loaded(lower=lower, upper=upper) as defs:
        marts = _marts(defs)

    assert [mart.partitions_def for mart in marts.values()] == [monthly_partitions("2023-01")] * 2


@pytest.mark.stack
def test_a_source_without_models_has_no_marts() -> None:
    with _loaded() as defs:
        assert _marts(defs) == {}


@pytest.mark.stack
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select * from chess.gmaes", "chess.gmaes is not another table of this code location"),
        ("select * from chess_marts.broken", "chess_marts.broken is not another table"),
        ("select * from games", "cannot resolve games: write every table as schema.table"),
        ("delete from chess.games", "a model is one SELECT"),
        ("select 1; select 2", "a model is one SELECT"),
        ("select from where", "broken.sql"),
        ("select $nothing", "$nothing is no variable in vars of defs.yaml: least, name, since"),
        (
            "-- incremental: month\nselect month, id from freshdesk.tickets",
            "months of freshdesk.tickets are not complete in themselves. Those of chess.games are",
        ),
        ("-- materialised: view\nselect 1", "'materialised' is no setting of a model"),
    ],
)
def test_a_model_that_cannot_be_one_is_refused_with_its_file(sql: str, reason: str) -> None:
    with pytest.raises(Exception, match=r"defs\.yaml") as raised, _loaded(broken=sql) as defs:
        defs.resolve_asset_graph()

    error, said = raised.value, []
    while error:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    assert "broken.sql" in "\n".join(said)
    assert reason in "\n".join(said)


def test_a_source_whose_name_is_not_one_is_refused() -> None:
    with pytest.raises(Exception, match=r"defs\.yaml") as raised, _loaded("che-ss", m="select 1"):
        pass

    assert "'che-ss' is not a name" in str(raised.value.__cause__)


def _write(folder: Path, sql: str) -> Path:
    path = folder / "monthly.sql"
    path.write_text(sql)
    return path


def test_a_table_is_replaced_with_its_new_columns_and_rows(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    build(warehouse, Mart("chess", parse_model(_write(tmp_path, "select 1 as n, 'x' as old"))))

    sql = "select n, n / 2 as half from (values (0), (1), (2)) as numbers (n)"
    built = build(warehouse, Mart("chess", parse_model(_write(tmp_path, sql))))

    assert (built.rows, built.schema) == (3, {"n": "INTEGER", "half": "DOUBLE"})
    rows = warehouse.rows("select * from chess_marts.monthly order by n")
    assert rows == [(0, 0.0), (1, 0.5), (2, 1.0)]


@pytest.mark.parametrize(
    "sql", ["select cast('x' as integer) as n", "select * from chess.gone", "select error('no')"]
)
def test_sql_that_fails_leaves_the_old_table(
    tmp_path: Path, warehouse: Warehouse, sql: str
) -> None:
    build(warehouse, Mart("chess", parse_model(_write(tmp_path, "select 1 as n"))))

    with pytest.raises(Exception, match=r"x|gone|no"):
        build(warehouse, Mart("chess", parse_model(_write(tmp_path, sql))))

    assert warehouse.rows("select n from chess_marts.monthly") == [(1,)]
    assert warehouse.rows("select count(*) from duckdb_tables() where schema_name <> 'ledger'") == [
        (1,)
    ]
