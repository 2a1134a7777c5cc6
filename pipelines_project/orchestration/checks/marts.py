"""The checks of marts: the assertions beside a model."""

import dagster as dg

from pipelines_project.marts.assertions import Assertion, assertions_of, failing_rows
from pipelines_project.marts.mart import Mart
from pipelines_project.orchestration.checks.month_evaluations import log_months
from pipelines_project.orchestration.mart_asset import mart_key
from pipelines_project.warehouse.columns import is_loaded
from pipelines_project.warehouse.database import Warehouse


def mart_checks(mart: Mart) -> list[dg.AssetChecksDefinition]:
    """Return a check for each assertion of the mart."""
    return [_check(mart, assertion) for assertion in assertions_of(mart)]


def _check(mart: Mart, assertion: Assertion) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=mart_key(mart), name=assertion.name, description=assertion.description)
    def check(
        context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.AssetCheckResult:
        result = evaluate(warehouse)
        log_months(context, result)
        return result

    def evaluate(warehouse: Warehouse) -> dg.AssetCheckResult:
        key, name = mart_key(mart), assertion.name
        with warehouse.connect() as connection:
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

    return check
