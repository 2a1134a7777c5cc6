"""Assertions beside a model as checks of its asset."""

import textwrap
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.orchestration.checks.marts import mart_checks
from pipelines_project.orchestration.mart_asset import mart_asset
from pipelines_project.warehouse.database import Warehouse

_ASSERTIONS = """
    assertions:
      not_null: [id, kind]
      unique: [id, [id, kind]]
      accepted_values: [{column: kind, values: [a, "b's"]}]
      relationships: [{column: id, table: demo.known, field: number}]
      sql:
        ids_are_small: from demo_marts.things where id > 9
"""
_GOOD = "(1, 'a'), (2, 'b''s')"


@pytest.fixture
def evaluate(tmp_path: Path, warehouse: Warehouse, instance: dg.DagsterInstance) -> Any:
    """Evaluates the checks of a mart with these rows."""
    with warehouse.connect() as connection:
        connection.execute("create schema demo")
        connection.execute("create table demo.known as select unnest(range(1, 20)) as number")

    def evaluate(values: str, *, built: bool = True) -> dict[str, dg.AssetCheckEvaluation]:
        path = tmp_path / "things.sql"
        path.write_text(f"select * from (values {values}) as t (id, kind)")
        path.with_suffix(".tests.yaml").write_text(textwrap.dedent(_ASSERTIONS))
        mart = Mart("demo", parse_model(path))
        if built:
            build(warehouse, mart)
        checks = mart_checks(mart)
        job = dg.define_asset_job("checks", dg.AssetSelection.checks(*checks))
        resources = {"warehouse": warehouse}
        assets = [mart_asset(mart, [])]
        defs = dg.Definitions(assets, asset_checks=checks, jobs=[job], resources=resources)
        result = defs.resolve_job_def("checks").execute_in_process(instance=instance)
        return {each.check_name: each for each in result.get_asset_check_evaluations()}

    return evaluate


@pytest.mark.stack
def test_each_assertion_is_a_check_that_passes_where_it_holds(evaluate: Any) -> None:
    checks = evaluate(_GOOD)

    assert {name: check.passed for name, check in checks.items()} == dict.fromkeys(
        (
            "id_is_not_null",
            "kind_is_not_null",
            "id_is_unique",
            "id_kind_is_unique",
            "kind_has_accepted_values",
            "id_is_in_demo_known",
            "ids_are_small",
        ),
        True,
    )


@pytest.mark.parametrize(
    ("row", "failed", "sample"),
    [
        ("(null, 'a')", {"id_is_not_null"}, {"id": "None", "kind": "a"}),
        ("(3, null)", {"kind_is_not_null"}, {"id": "3", "kind": "None"}),
        ("(1, 'b''s')", {"id_is_unique"}, {"id": "1", "rows": "2"}),
        ("(3, 'c')", {"kind_has_accepted_values"}, {"id": "3", "kind": "c"}),
        ("(0, 'a')", {"id_is_in_demo_known"}, {"id": "0", "kind": "a"}),
        ("(10, 'a')", {"ids_are_small"}, {"id": "10", "kind": "a"}),
    ],
)
def test_rows_for_which_an_assertion_does_not_hold_are_counted_and_shown(
    evaluate: Any, row: str, failed: set[str], sample: dict[str, str]
) -> None:
    checks = evaluate(f"{_GOOD}, {row}")

    assert {name for name, check in checks.items() if not check.passed} == failed
    (metadata,) = (checks[name].metadata for name in failed)
    assert [checks[name].description for name in failed] == [
        "1 rows, of which some are in the sample; 0 are expected."
    ]
    assert metadata["failing_rows"].value == 1
    assert metadata["sample"].value == [sample]


def test_a_mart_that_was_never_built_has_no_rows_that_could_fail(evaluate: Any) -> None:
    assert all(check.passed for check in evaluate(_GOOD, built=False).values())
