"""The report, which needs to know the tables and marts of all sources."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.sql_models import SqlModels
from pipelines_project.orchestration.checks.marts import mart_checks
from pipelines_project.orchestration.mart_asset import mart_key
from pipelines_project.orchestration.report_asset import report_asset, report_sensor
from pipelines_project.orchestration.run_history import Watched
from pipelines_project.orchestration.table_assets import landing_key, warehouse_key


@dg.definitions
def report(context: dg.ComponentLoadContext) -> dg.Definitions:
    """Return the asset that writes the page, and the sensor that asks for it."""
    tree = context.component_tree
    sources = tree.get_all_components(of_type=MonthlySource)
    marts = [mart for models in tree.get_all_components(of_type=SqlModels) for mart in models.marts]
    tables = [(each, table) for each in sources for table in each.monthly_tables()]
    checks = [check.key for source, table in tables for check in source.checks(table)]
    checks += [key for mart in marts for check in mart_checks(mart) for key in check.check_keys]
    keys = [key for _, table in tables for key in (landing_key(table), warehouse_key(table))]
    watched = [_watched(key, checks, has_months=True) for key in keys]
    watched += [
        _watched(mart_key(mart), checks, has_months=mart.model.is_incremental) for mart in marts
    ]
    asset = report_asset(report_path(), [table for _, table in tables], marts, watched)
    return dg.Definitions(assets=[asset], sensors=[report_sensor()])


def report_path() -> Path:
    """Return where the page is written, which `REPORT_PATH` names."""
    return Path(dg.EnvVar("REPORT_PATH").get_value() or "data/report.html")


def _watched(key: dg.AssetKey, checks: Sequence[dg.AssetCheckKey], *, has_months: bool) -> Watched:
    return Watched(key, has_months, [check for check in checks if check.asset_key == key])
