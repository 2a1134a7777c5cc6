"""The asset `report`: one HTML page that shows all tables and marts, written after they change."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.mart import Mart
from pipelines_project.orchestration.content_conditions import HasChanged
from pipelines_project.orchestration.run_history import Watched, run_history
from pipelines_project.orchestration.warehouse_settings import warehouse_pool
from pipelines_project.report.concerns import concerns
from pipelines_project.report.gather import gather
from pipelines_project.report.page import write_page
from pipelines_project.table import Table
from pipelines_project.warehouse.database import Warehouse

REPORT = dg.AssetKey(["report"])


def report_asset(
    path: Path, tables: Sequence[Table], marts: Sequence[Mart], watched: Sequence[Watched]
) -> dg.AssetsDefinition:
    """Return the asset that writes the page.

    Args:
        path: where it is written.
        tables: all that are landed.
        marts: all that are built.
        watched: the assets of both, which it stands on.
    """

    @dg.asset(
        key=REPORT,
        deps=[asset.key for asset in watched],
        description="One HTML page: what became of each month of each table, what needs a look, "
        "growth, columns, a few rows, and the SQL of the marts.",
        group_name="report",
        # So that a range of months can be asked for together with all that is made of them.
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=_follows_changes_and_failures(),
        # A DuckDB file has one reader or writer at a time, which is not to be in a load's way.
        pool=warehouse_pool(),
        kinds={"html"},
    )
    def report(
        context: dg.AssetExecutionContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:
        found = gather(landing, warehouse, tables, marts, run_history(context.instance, watched))
        write_page(path, found)
        place = path.absolute()
        context.log.info(f"The report is in {place}: open {place.as_uri()} in a browser")
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(place),
                "url": dg.MetadataValue.url(place.as_uri()),
                "concerns": len(concerns(found)),
            }
        )

    return report


def _follows_changes_and_failures() -> dg.AutomationCondition[Any]:
    """Return the condition under which the page is written anew: it would show something else."""
    condition = dg.AutomationCondition
    changed = condition.newly_updated() & HasChanged()
    failed = condition.execution_failed().newly_true()
    due = condition.any_deps_match(changed | failed).since_last_handled()
    return due & ~condition.any_deps_in_progress() & ~condition.in_progress()


def report_sensor() -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the condition; it is on at first."""
    with warnings.catch_warnings():
        # The condition is a class of this project; see `automation_sensor`.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.AutomationConditionSensorDefinition(
            name="write_report",
            target=dg.AssetSelection.assets(REPORT),
            default_status=dg.DefaultSensorStatus.RUNNING,
            use_user_code_server=True,
            description="Write the report anew when a month was landed or loaded with other rows, "
            "a mart has changed, or one of them has failed.",
        )
