"""What the code location offers, by the names of the design."""

import gc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project import definitions
from pipelines_project.sources.chess import column_descriptions as of_chess
from pipelines_project.sources.chess.columns import documented_columns
from pipelines_project.sources.freshdesk import column_descriptions as of_freshdesk
from pipelines_project.sources.freshdesk.columns import TABLES, documented_types
from pipelines_project_tests.code_location import LANDING, MARTS, WAREHOUSE, code_location


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.Definitions]:
    with code_location(tmp_path_factory.mktemp("defs")) as location:
        yield location.defs


def _spec(defs: dg.Definitions, key: str) -> dg.AssetSpec:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    return specs[key]


def test_the_definitions_are_loaded_once_in_a_process() -> None:
    once = definitions.defs()

    assert definitions.defs() is once
    assert definitions.load() is not once


def test_nothing_that_is_loaded_is_looked_at_again_for_garbage() -> None:
    definitions.defs()

    assert gc.get_freeze_count() > 100_000
    assert gc.isenabled()


def test_nothing_is_said_of_a_service_of_lineage_that_nobody_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lineage = pytest.importorskip("openlineage.client", reason="needs the extra openlineage")
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)

    definitions.load()
    # As the library makes one where Dagster imports it, which is once in a process.
    lineage.OpenLineageClient()

    assert [each for each in caplog.messages if "OpenLineage" in each] == []


def test_chess_has_the_assets_of_the_design(defs: dg.Definitions) -> None:
    specs = [spec for spec in defs.resolve_all_asset_specs() if spec.group_name == "chess"]

    assert {spec.key.to_user_string() for spec in specs} == {LANDING, WAREHOUSE, *MARTS}


@pytest.mark.parametrize(
    ("key", "kinds", "upstream", "table"),
    [
        (LANDING, {"dlt", "parquet"}, [], "chess.games"),
        (WAREHOUSE, {"duckdb"}, [LANDING], "chess.games"),
        (MARTS[0], {"sql", "duckdb"}, [WAREHOUSE], "chess_marts.openings"),
        (MARTS[1], {"sql", "duckdb"}, [WAREHOUSE], "chess_marts.player_months"),
    ],
)
def test_an_asset_says_what_it_is_and_what_it_stands_on(
    defs: dg.Definitions, key: str, kinds: set[str], upstream: list[str], table: str
) -> None:
    spec = _spec(defs, key)

    assert spec.tags["layer"] == key.partition("/")[0]
    assert spec.metadata["dagster/table_name"] == table
    assert spec.kinds == kinds
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == upstream
    assert len(spec.description or "") > 30
    assert spec.owners == ["team:data"]


@pytest.mark.parametrize("key", [LANDING, WAREHOUSE])
def test_monthly_assets_take_a_range_in_one_run_and_should_be_fresh(
    defs: dg.Definitions, key: str
) -> None:
    node = defs.resolve_asset_graph().get(dg.AssetKey.from_user_string(key))

    assert isinstance(node.partitions_def, dg.TimeWindowPartitionsDefinition)
    assert node.partitions_def.fmt == "%Y-%m"
    assert node.partitions_def.timezone == "UTC"
    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert _spec(defs, key).freshness_policy == dg.FreshnessPolicy.time_window(timedelta(hours=36))


def test_marts_are_whole_or_by_month_and_go_with_a_range(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    openings, player_months = (graph.get(dg.AssetKey.from_user_string(key)) for key in MARTS)

    assert openings.partitions_def is None
    warehouse = graph.get(dg.AssetKey.from_user_string(WAREHOUSE))
    assert player_months.partitions_def == warehouse.partitions_def
    for node in (openings, player_months):
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_landing_is_a_graph_of_two_ops_and_each_step_holds_its_pool(defs: dg.Definitions) -> None:
    landing = defs.resolve_assets_def(dg.AssetKey.from_user_string(LANDING))
    ops = {op.name: op for op in landing.node_def.iterate_op_defs()}

    assert {name: op.pool for name, op in ops.items()} == {
        "chess_games_land": "chess_api",
        "chess_games_delete_stale_files": None,
    }
    for key in (WAREHOUSE, *MARTS):
        asset = defs.resolve_assets_def(dg.AssetKey.from_user_string(key))
        assert asset.op.pool == "warehouse"


def test_the_op_that_deletes_has_a_job_by_month(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("chess_delete_stale_files")

    assert [node.name for node in job.nodes] == ["chess_games_delete_stale_files"]
    assert isinstance(job.partitions_def, dg.TimeWindowPartitionsDefinition)


def test_the_main_job_makes_every_asset_of_the_source(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("chess_materialize")

    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert keys == {LANDING, WAREHOUSE, *MARTS}


def test_every_truth_is_a_check_on_the_asset_that_it_is_about(defs: dg.Definitions) -> None:
    checks = {
        (key.asset_key.to_user_string(), key.name)
        for key in defs.resolve_asset_graph().asset_check_keys
        if key.asset_key.path[1] == "chess"
    }

    assert checks == {
        (LANDING, "no_stale_files"),
        (LANDING, "landed_files_are_intact"),
        (LANDING, "current_month_is_fresh"),
        (WAREHOUSE, "games_have_unique_keys"),
        (WAREHOUSE, "warehouse_rows_match_landing"),
        (MARTS[1], "player_is_not_null"),
        (MARTS[1], "month_is_not_null"),
        (MARTS[1], "time_class_is_not_null"),
        (MARTS[1], "player_month_time_class_is_unique"),
        (MARTS[1], "games_are_won_drawn_lost_or_neither"),
    }


def test_marts_and_warehouse_follow_by_automation_and_landing_by_its_schedule(
    defs: dg.Definitions,
) -> None:
    conditions = {
        key: defs.resolve_asset_graph().get(dg.AssetKey.from_user_string(key)).automation_condition
        for key in (LANDING, WAREHOUSE, *MARTS)
    }

    assert {key for key, condition in conditions.items() if not condition} == {LANDING}


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [("chess/games", "white__rating", "bigint"), ("freshdesk/tickets", "due_by", "timestamp")],
)
@pytest.mark.parametrize("layer", ["landing", "warehouse"])
def test_columns_that_are_declared_are_shown_before_anything_was_landed(
    defs: dg.Definitions, layer: str, table: str, column: str, kind: str
) -> None:
    schema = _spec(defs, f"{layer}/{table}").metadata["dagster/column_schema"]

    assert {each.name: each.type for each in schema.columns}[column] == kind


@pytest.mark.parametrize("key", [LANDING, WAREHOUSE])
def test_a_page_leads_to_the_python_that_lists_the_tables(defs: dg.Definitions, key: str) -> None:
    found, document = _spec(defs, key).metadata["dagster/code_references"].code_references

    lines = Path(found.file_path).read_text().splitlines()
    assert found.label == "ChessSource.monthly_tables"
    assert "def monthly_tables(" in lines[found.line_number - 1]
    assert document.file_path.endswith("defs/chess/defs.yaml")


@pytest.mark.parametrize("layer", ["landing", "warehouse"])
def test_each_documented_column_of_a_game_says_what_it_is(defs: dg.Definitions, layer: str) -> None:
    schema = _spec(defs, f"{layer}/chess/games").metadata["dagster/column_schema"]

    assert [each.name for each in schema.columns if not each.description] == []


def test_what_is_said_of_columns_is_said_of_columns_that_there_are() -> None:
    documented = {name for table in TABLES for name in documented_types(table)}

    assert {*of_chess.COLUMN_DESCRIPTIONS} <= {*documented_columns()}
    assert {*of_freshdesk.COLUMN_DESCRIPTIONS} <= documented


def test_each_source_has_an_automation_sensor_that_is_on_and_says_what_it_does(
    defs: dg.Definitions,
) -> None:
    graph = defs.resolve_asset_graph()
    sensors = {
        sensor.name: sensor
        for sensor in defs.get_repository_def().sensor_defs
        if isinstance(sensor, dg.AutomationConditionSensorDefinition)
    }

    report = sensors.pop("write_report")
    assert report.default_status is dg.DefaultSensorStatus.RUNNING
    assert report.asset_selection.resolve(graph) == {dg.AssetKey("report")}
    assert {*sensors} == {"chess_automation", "freshdesk_automation", "local_jsonl_automation"}
    for name, sensor in sensors.items():
        source = name.removesuffix("_automation")
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
        assert f"Load each month of {source}" in str(sensor.description)
        of_source = {key for key in graph.get_all_asset_keys() if source in key.path[1:2]}
        assert sensor.asset_selection.resolve(graph) == of_source


def test_steps_run_in_the_process_of_their_run(defs: dg.Definitions) -> None:
    assert isinstance(defs.executor, dg.ExecutorDefinition)
    assert defs.executor.name == "in_process"


@pytest.mark.parametrize("resource", ["landing", "warehouse"])
def test_a_resource_takes_no_config_that_it_would_not_heed(
    defs: dg.Definitions, resource: str
) -> None:
    job = defs.resolve_job_def("chess_materialize")
    config = {"resources": {resource: {"config": {"url": "elsewhere"}}}}

    with pytest.raises(dg.DagsterInvalidConfigError, match='unexpected config entry "url"'):
        dg.validate_run_config(job, config)


def test_sources_whose_tables_say_whose_a_row_is_have_a_job_that_forgets(
    defs: dg.Definitions,
) -> None:
    names = {job.name for job in defs.resolve_all_job_defs() if job.name.endswith("_forget")}

    assert names == {"chess_forget", "freshdesk_forget"}
    job = defs.resolve_job_def("freshdesk_forget")
    config = {"ops": {"freshdesk_forget_rows": {"config": {"requester_id": 7}}}}
    assert dg.validate_run_config(job, config)
    with pytest.raises(dg.DagsterInvalidConfigError, match="requester_id"):
        dg.validate_run_config(job, {"ops": {"freshdesk_forget_rows": {"config": {}}}})
