"""Local JSON lines as assets: several tables from YAML, landed, loaded, checked and tidied."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines_project import definitions
from pipelines_project.components.files import LocalJsonlSource
from pipelines_project_tests.json_lines import jsonl, landed_lines, write_lines
from pipelines_project_tests.jsonl_location import (
    LANDING,
    WAREHOUSE,
    JsonlLocation,
    attributes,
    jsonl_location,
)
from pipelines_project_tests.kept import empty_instance

_MONTHS = "2024-01...2024-02"


@pytest.fixture
def location(tmp_path: Path) -> Iterator[JsonlLocation]:
    """Two months of one table, none of which is landed."""
    raw = tmp_path / "raw"
    for month in _MONTHS.split("..."):
        write_lines(raw, jsonl({"id": 1, "v": 1}, {"id": 2, "v": 2}), month=month)
    with jsonl_location(
        tmp_path, attributes(raw, on_bad_line="quarantine", key=["id"], allow_shrink=False)
    ) as loaded:
        yield loaded


def _changed(run_metadata: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {month: metadata["skipped"] for month, metadata in run_metadata.items()}


@pytest.mark.stack
def test_new_data_in_one_month_lands_that_month_and_loads_no_other(location: JsonlLocation) -> None:
    first = location.materialize(_MONTHS)
    assert first.result.success
    assert {
        m: d["dagster/partition_row_count"] for m, d in first.materialized(LANDING).items()
    } == {
        "2024-01": 2,
        "2024-02": 2,
    }
    assert _changed(first.materialized(WAREHOUSE)) == {"2024-01": False, "2024-02": False}

    write_lines(location.raw, jsonl({"id": 3, "v": 2.5, "new": "x"}), "b.jsonl")
    landed = location.materialize("2024-01", LANDING)
    loaded = location.materialize(_MONTHS, WAREHOUSE)

    assert _changed(loaded.materialized(WAREHOUSE)) == {"2024-01": False, "2024-02": True}
    metadata = landed.materialized(LANDING)["2024-01"]
    assert (metadata["lines_read"], metadata["raw_files"]) == (3, 2)
    [said] = [line for line in landed.log("INFO") if "rows landed" in line]
    assert "; schema changes: column 'v' is not BIGINT, as it was before, new column 'new'" in said
    assert metadata["schema_changes"] == [
        "column 'v' is not BIGINT, as it was before",
        "new column 'new' (VARCHAR)",
    ]
    assert location.rows("select month, id, v, new from local_jsonl.events order by all") == [
        ("2024-01", 1, 1.0, None),
        ("2024-01", 2, 2.0, None),
        ("2024-01", 3, 2.5, "x"),
        ("2024-02", 1, 1.0, None),
        ("2024-02", 2, 2.0, None),
    ]


@pytest.mark.stack
def test_a_run_passes_every_check_and_warns_of_quarantined_lines(location: JsonlLocation) -> None:
    good = location.materialize(_MONTHS).checks()
    assert {*good} == {
        "no_stale_files",
        "landed_files_are_intact",
        "every_line_is_accounted_for",
        "no_lines_are_quarantined",
        "events_have_unique_keys",
        "warehouse_rows_match_landing",
    }
    assert all(check.passed for check in good.values())

    write_lines(location.raw, "{\n{\n", "b.jsonl")
    run = location.materialize(_MONTHS)

    failed = {name: check for name, check in run.checks().items() if not check.passed}
    assert [*failed] == ["no_lines_are_quarantined"]
    check = failed["no_lines_are_quarantined"]
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["wrong"].value == {"2024-01": "2 lines quarantined"}
    assert run.materialized(LANDING)["2024-01"]["lines_quarantined"] == 2


@pytest.mark.stack
def test_lines_that_are_in_no_load_are_found(location: JsonlLocation) -> None:
    location.materialize(_MONTHS)
    write_lines(location.raw, jsonl({"id": 3}), "b.jsonl")

    check = location.materialize(_MONTHS, WAREHOUSE).checks()
    assert "every_line_is_accounted_for" not in check
    job = dg.define_asset_job(
        "alone", dg.AssetSelection.checks_for_assets(dg.AssetKey.from_user_string(LANDING))
    )
    alone = dg.Definitions.merge(location.defs, dg.Definitions(jobs=[job])).resolve_job_def("alone")
    evaluations = alone.execute_in_process(instance=location.instance).get_asset_check_evaluations()
    [found] = [e for e in evaluations if e.check_name == "every_line_is_accounted_for"]

    assert not found.passed
    said = found.metadata["wrong"].value
    assert said == {
        "2024-01": "3 lines in 2 files, 2 rows landed and 0 lines quarantined: land the month again"
    }


@pytest.mark.stack
def test_a_month_whose_files_are_gone_stays_as_it_is_unless_it_may_shrink(
    location: JsonlLocation,
) -> None:
    location.materialize("2024-01")
    for path in location.raw.rglob("2024-01/*"):
        path.unlink()

    refused = location.materialize("2024-01")
    assert "0 rows came, where 2 are landed" in refused.error
    assert "allow_shrink" in refused.error
    assert len(landed_lines(location.landing).rows) == 2

    assert location.materialize("2024-01", allow_shrink=True).result.success
    assert location.rows("select * from local_jsonl.events") == []


@pytest.mark.stack
def test_a_bad_month_names_its_line_and_does_not_stop_the_other(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_lines(raw, '{"id": 1}\n{"id": \n', month="2024-01")
    write_lines(raw, '{"id": 1}\n', month="2024-02")
    with jsonl_location(tmp_path, attributes(raw)) as location:
        run = location.materialize(_MONTHS)

        assert "2024-01: events/2024-01/a.jsonl line 2: unexpected end of data" in run.error
        assert [*run.materialized(LANDING)] == ["2024-02"]


@pytest.mark.stack
def test_the_contract_holds_a_month_against_the_nearest_month_that_is_landed(
    tmp_path: Path,
) -> None:
    raw = tmp_path / "raw"
    for month, rows in {
        "2024-01": [{"a": 1}],
        "2024-02": [{"a": 1, "b": 1}],
        "2024-03": [{"a": "x"}],
    }.items():
        write_lines(raw, jsonl(*rows), month=month)
    with jsonl_location(tmp_path, attributes(raw, contract="freeze")) as location:
        assert location.materialize("2024-02").result.success
        assert location.materialize("2024-01").result.success
        assert location.materialize("2024-02").result.success
        assert "line 1: column 'a' is not BIGINT" in location.materialize("2024-03").error


@pytest.mark.stack
def test_tables_of_one_source_have_sensors_of_their_own_and_share_the_jobs(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for name in ("orders", "clicks"):
        path = raw / name / "2024-02" / "a.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text(jsonl({"table": name}))
    tables = [
        attributes(raw, "orders", start_month="2024-02"),
        attributes(raw, "clicks", start_month="2024-01", cron="0 5 * * *"),
    ]
    with jsonl_location(tmp_path, *tables) as location:
        repository = location.defs.get_repository_def()
        assert [schedule.name for schedule in repository.schedule_defs] == [
            "local_jsonl_clicks_materialize_schedule"
        ]
        assert {sensor.name for sensor in repository.sensor_defs} >= {
            f"local_jsonl_{name}_changed_months" for name in ("orders", "clicks")
        }
        job = location.defs.resolve_job_def("local_jsonl_materialize")
        assert job.execute_in_process(instance=location.instance, partition_key="2024-02").success
        for name in ("orders", "clicks"):
            assert location.rows(f'select "table", month from local_jsonl.{name}') == [
                (name, "2024-02")
            ]
        tidy = location.defs.resolve_job_def("local_jsonl_delete_stale_files")
        assert {node.name for node in tidy.graph.nodes} == {
            f"local_jsonl_{name}_delete_stale_files" for name in ("orders", "clicks")
        }
        assert tidy.execute_in_process(instance=location.instance, partition_key="2024-02").success


@pytest.mark.stack
def test_quarantined_lines_can_be_queried_in_the_warehouse_until_the_file_is_mended(
    location: JsonlLocation,
) -> None:
    query = "select month, source_file, source_line, line from local_jsonl.events_quarantine"
    for month in ("2024-01", "2024-02"):
        write_lines(location.raw, jsonl({"id": 1}) + "{\n", month=month)
    assert location.materialize("2024-01...2024-02").result.success
    assert sorted(location.rows(query)) == [
        (month, f"events/{month}/a.jsonl", 2, "{") for month in ("2024-01", "2024-02")
    ]

    write_lines(location.raw, jsonl({"id": 1}, {"id": 2}), month="2024-01")
    assert location.materialize("2024-01").result.success
    assert [row[0] for row in location.rows(query)] == ["2024-02"]


@pytest.mark.stack
def test_a_superseded_load_goes_with_its_quarantined_lines(location: JsonlLocation) -> None:
    write_lines(location.raw, jsonl({"id": 1}) + "{\n")
    runs = [location.materialize("2024-01") for _ in range(3)]

    place = location.landing.month("local_jsonl", "events", "2024-01")
    [load_id] = place.listing().files
    record, rows, lines = place.files_of_load(load_id)
    assert [record, place.path in rows, place.quarantine_path in lines] == [
        place.record_path(load_id),
        True,
        True,
    ]
    assert runs[-1].materialized(LANDING)["2024-01"]["load_id"] == load_id
    deleted = runs[1].materialized(LANDING)["2024-01"]["stale_files"]
    assert sum("events_quarantine/month=2024-01" in path for path in deleted) == 1
    assert [row["line"] for row in landed_lines(location.landing).quarantined] == ["{"]


@pytest.mark.stack
def test_a_table_without_a_key_has_no_check_of_keys_and_keeps_equal_rows(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_lines(raw, jsonl({"id": 1}, {"id": 1}))
    with jsonl_location(tmp_path, attributes(raw)) as location:
        run = location.materialize("2024-01")

        assert "events_have_unique_keys" not in run.checks()
        assert location.rows("select id from local_jsonl.events") == [(1,), (1,)]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("name", "Events"),
        ("name", "events_quarantine"),
        ("files", "events/*.jsonl"),
        ("files", "/events/%Y-%m/*"),
        ("on_bad_line", "skip"),
        ("contract", "none"),
        ("settle_seconds", -1),
        ("watch_seconds", 0),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, attribute: str, value: Any) -> None:
    with pytest.raises(ValueError, match=attribute):
        LocalJsonlSource(**{**attributes(tmp_path), attribute: value})


def test_every_attribute_is_described() -> None:
    fields = LocalJsonlSource.model_fields

    assert [name for name, field in fields.items() if not field.description] == []


def test_the_committed_sample_lands_and_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING_URL", str(tmp_path / "landing"))
    monkeypatch.setenv("WAREHOUSE_URL", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("RAW_URL", str(Path(__file__).parents[2] / "data" / "raw"))
    job = definitions.load().resolve_job_def("local_jsonl_materialize")
    with empty_instance() as instance:
        result = job.execute_in_process(instance=instance, partition_key="2024-03")

    assert result.success
    assert all(check.passed for check in result.get_asset_check_evaluations())
    [event] = result.asset_materializations_for_node("warehouse__local_jsonl__synthetic_data")
    assert event.metadata["dagster/partition_row_count"].value == 100
    assert json.dumps(event.partition) == '"2024-03"'
