"""The checks of marts: the assertions beside a model."""

import dagster as dg

from pipelines_project.marts.assertions import Assertion, assertions_of, failing_rows
from pipelines_project.marts.build import Mart
from pipelines_project.orchestration.mart_asset import mart_key
from pipelines_project.warehouse.columns import is_loaded
from pipelines_project.warehouse.database import Warehouse


def mart_checks(mart: Mart) -> list[dg.AssetChecksDefinition]:
    """Return a check for each assertion of the mart."""
    return [_check(mart, assertion) for assertion in assertions_of(mart)]


def _check(mart: Mart, assertion: Assertion) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=mart_key(mart), name=assertion.name, description=assertion.description)
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        if not is_loaded(warehouse, mart.schema, mart.name):
            return dg.AssetCheckResult(passed=True, metadata={"never_built": True})
        rows, sample = failing_rows(warehouse, assertion)
        told = [{name: str(value) for name, value in row.items()} for row in sample]
        metadata = {"failing_rows": rows, "sample": dg.MetadataValue.json(told)}
        return dg.AssetCheckResult(passed=not rows, metadata=metadata)

    return check
