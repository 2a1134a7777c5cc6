"""The asset of a mart by month: the months of a run, a full refresh, and what reads it."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines_project.marts.mart import Mart
from pipelines_project.orchestration.month_mart_asset import month_mart_asset
from pipelines_project.orchestration.table_assets import monthly_partitions
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.code_location import Run, range_tags
from pipelines_project_tests.marts.month_tables import MonthTables

MONTHS = ("2024-01", "2024-02", "2024-03")
SOURCE = dg.AssetKey(["warehouse", "demo", "a"])
LOWER, UPPER = (dg.AssetKey(["marts", "demo", name]) for name in ("lower", "upper"))


@pytest.fixture
def tables(warehouse: Warehouse, tmp_path: Path) -> MonthTables:
    tables = MonthTables(warehouse, tmp_path)
    for number, month in enumerate(MONTHS, 1):
        _load(tables, month, number)
    return tables


def _load(tables: MonthTables, month: str, n: int) -> None:
    tables.load("a", "n integer", month, [(n,)])


@pytest.fixture
def defs(tables: MonthTables) -> dg.Definitions:
    """A table, a mart over it, and one that looks back a month over that."""
    months = monthly_partitions("2024-01")
    lower = tables.mart("select month, n % 10 as n from demo.a", "lower")
    upper = tables.mart(
        "select month, sum(n) over (order by cast(month || '-01' as date) range between "
        "interval 1 month preceding and current row) as n from demo_marts.lower",
        "upper",
        "incremental: month\n-- lookback: 1",
    )
    source = dg.AssetSpec(SOURCE, partitions_def=months)
    assets = [month_mart_asset(lower, [SOURCE], months), month_mart_asset(upper, [LOWER], months)]
    return dg.Definitions([source, *assets], resources={"warehouse": tables.warehouse})


def _run(
    defs: dg.Definitions, instance: dg.DagsterInstance, months: str, *keys: dg.AssetKey, **op: Any
) -> dict[str, dict[str, Any]]:
    """Materialize months of assets, and return the metadata of the last one's months."""
    first, _, last = months.partition("...")
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=keys,
        partition_key=None if last else first,
        tags=range_tags(first, last) if last else None,
        run_config={"ops": {"__".join(keys[-1].path): {"config": op}}} if op else {},
    )
    events = instance.fetch_materializations(keys[-1], 100).records
    made = [e.asset_materialization for e in events if e.run_id == result.run_id]
    return {
        str(each.partition): {name: value.value for name, value in each.metadata.items()}
        for each in made
        if each
    }


def test_a_mart_over_a_table_that_was_never_loaded_says_what_to_load_first(
    warehouse: Warehouse, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    tables = MonthTables(warehouse, tmp_path)
    mart = tables.mart("select month, n from demo.a", "lower")
    asset = month_mart_asset(mart, [SOURCE], monthly_partitions("2024-01"))

    result = dg.materialize(
        [asset],
        instance=instance,
        partition_key="2024-02",
        resources={"warehouse": warehouse},
        raise_on_error=False,
    )

    assert Run(result, instance).error == (
        "demo_marts.lower reads demo.a, which the warehouse does not have yet. What "
        "demo_marts.lower has of 2024-02 is unchanged. First, then the mart follows:\n"
        "  dagster asset materialize -m pipelines_project.definitions --select "
        "'key:\"landing/demo/a\"+' --partition 2024-02"
    )


def test_sql_that_duckdb_refuses_is_told_with_its_file(
    tables: MonthTables, instance: dg.DagsterInstance
) -> None:
    mart = tables.mart("select month, nowhere as n from demo.a", "lower")
    asset = month_mart_asset(mart, [SOURCE], monthly_partitions("2024-01"))

    result = dg.materialize(
        [asset],
        instance=instance,
        partition_key="2024-02",
        resources={"warehouse": tables.warehouse},
        raise_on_error=False,
    )

    error = Run(result, instance).error
    assert error.startswith(f'{mart.model.path}: Binder Error: Referenced column "nowhere"')
    assert (
        "\nWhat demo_marts.lower has of 2024-02 is unchanged. Once mended:\n  dagster asset"
        in error
    )


def _rows(tables: MonthTables, mart: Mart | str = "lower") -> list[tuple[Any, ...]]:
    return tables.warehouse.rows(f"select month, n from demo_marts.{mart} order by month")


@pytest.mark.stack
def test_a_range_is_one_run_that_says_of_each_month_what_became_of_it(
    defs: dg.Definitions, instance: dg.DagsterInstance, tables: MonthTables
) -> None:
    _run(defs, instance, "2024-01...2024-03", LOWER)
    _load(tables, "2024-02", 5)

    made = _run(defs, instance, "2024-01...2024-03", LOWER)

    told = {
        month: (each["dagster/partition_row_count"], each["skipped"])
        for month, each in made.items()
    }
    assert told == {"2024-01": (1, True), "2024-02": (1, False), "2024-03": (1, True)}
    assert _rows(tables) == [("2024-01", 1), ("2024-02", 5), ("2024-03", 3)]


@pytest.mark.stack
def test_a_run_of_one_month_that_has_to_build_all_records_all(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    made = _run(defs, instance, "2024-02", LOWER)

    assert made.keys() == {*MONTHS}
    assert {each["built_whole_because"] for each in made.values()} == {
        "it is built for the first time"
    }
    assert instance.get_materialized_partitions(LOWER) == {*MONTHS}


@pytest.mark.stack
def test_the_run_config_asks_for_a_full_refresh(
    defs: dg.Definitions, instance: dg.DagsterInstance, tables: MonthTables
) -> None:
    _run(defs, instance, "2024-02", LOWER)
    with tables.warehouse.connect() as connection:
        connection.execute("update demo_marts.lower set n = 9")

    made = _run(defs, instance, "2024-02", LOWER, full_refresh=True)

    assert made["2024-02"]["built_whole_because"] == "full_refresh"
    assert _rows(tables) == [("2024-01", 1), ("2024-02", 2), ("2024-03", 3)]


@pytest.mark.stack
def test_a_changed_month_asks_for_the_months_that_look_back_at_it_and_an_unchanged_one_for_none(
    defs: dg.Definitions, instance: dg.DagsterInstance, tables: MonthTables
) -> None:
    for key in (LOWER, UPPER):
        for month in MONTHS:
            _run(defs, instance, month, key)
    cursor = None

    def tick() -> dict[dg.AssetKey, set[str]]:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=cursor)
        cursor = result.cursor
        asked = {key: result.get_requested_partitions(key) for key in (LOWER, UPPER)}
        return {key: {str(m) for m in months} for key, months in asked.items() if months}

    tick()
    for n, follows in ((12, {}), (7, {UPPER: {"2024-02", "2024-03"}})):
        _load(tables, "2024-02", n)
        instance.report_runless_asset_event(dg.AssetMaterialization(SOURCE, partition="2024-02"))
        assert tick() == {LOWER: {"2024-02"}}
        made = _run(defs, instance, "2024-02", LOWER)
        assert made["2024-02"]["unchanged"] is (n == 12)
        assert tick() == follows
    _run(defs, instance, "2024-02...2024-03", UPPER)
    assert _rows(tables, "upper") == [("2024-01", 1), ("2024-02", 8), ("2024-03", 10)]


@pytest.mark.stack
def test_columns_are_shown_with_what_they_are_and_what_they_are_made_from(
    tables: MonthTables, instance: dg.DagsterInstance
) -> None:
    months = monthly_partitions("2024-01")
    mart = tables.mart("select month, n + 1 as more, -- one more\n from demo.a", "described")
    defs = dg.Definitions(
        [dg.AssetSpec(SOURCE, partitions_def=months), month_mart_asset(mart, [SOURCE], months)],
        resources={"warehouse": tables.warehouse},
    )

    made = _run(defs, instance, "2024-01", dg.AssetKey(["marts", "demo", "described"]))["2024-01"]

    columns = made["dagster/column_schema"].columns
    assert [(c.name, c.description) for c in columns] == [
        ("month", "the month, YYYY-MM, in UTC"),
        ("more", "one more"),
    ]
    lineage = made["dagster/column_lineage"].deps_by_column
    assert lineage["more"] == [dg.TableColumnDep(SOURCE, "n")]
