"""The checks of marts: the assertions beside a model."""

from collections.abc import Sequence
from functools import partial

import dagster as dg
import duckdb

from pipelines_project.marts.assertions import Assertion, assertions_of, failing_rows
from pipelines_project.marts.mart import Mart
from pipelines_project.orchestration.checks.month_evaluations import log_months
from pipelines_project.orchestration.checks.one_step import Results, evaluate_selected
from pipelines_project.orchestration.mart_asset import mart_key
from pipelines_project.warehouse.columns import is_loaded
from pipelines_project.warehouse.database import Warehouse


def mart_checks(mart: Mart) -> list[dg.AssetChecksDefinition]:
    """Return a check for each assertion of the mart, all in one step; none without assertions."""
    assertions = assertions_of(mart)
    return [_in_one_step(mart, assertions)] if assertions else []


def _in_one_step(mart: Mart, assertions: Sequence[Assertion]) -> dg.AssetChecksDefinition:
    key = mart_key(mart)

    @dg.multi_asset_check(
        name=f"{key.to_python_identifier()}_checks",
        specs=[
            dg.AssetCheckSpec(each.name, asset=key, description=each.description)
            for each in assertions
        ],
        can_subset=True,
    )
    def evaluate(
        context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> Results:
        with warehouse.connect() as connection:
            yield from evaluate_selected(
                context,
                {
                    dg.AssetCheckKey(key, each.name): partial(
                        _evaluate, context, connection, mart, each
                    )
                    for each in assertions
                },
            )

    return evaluate


def _evaluate(
    context: dg.AssetCheckExecutionContext,
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    assertion: Assertion,
) -> dg.AssetCheckResult:
    result = _result(connection, mart, assertion)
    log_months(context, result)
    return result


def _result(
    connection: duckdb.DuckDBPyConnection, mart: Mart, assertion: Assertion
) -> dg.AssetCheckResult:
    key, name = mart_key(mart), assertion.name
    if not is_loaded(connection, mart.schema, mart.name):
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=name,
            passed=True,
            description=f"{mart.full_name} was never built.",
            metadata={"never_built": True},
        )
    rows, sample = failing_rows(connection, assertion)
    told = [{name: str(value) for name, value in row.items()} for row in sample]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=not rows,
        description=f"{rows} rows, of which some are in the sample; 0 are expected."
        if rows
        else "Holds for every row.",
        metadata={"failing_rows": rows, "sample": dg.MetadataValue.json(told)},
    )
