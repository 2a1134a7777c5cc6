"""What every source shares: the landing zone, the warehouse, and how a run is executed."""

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.run_launcher import locked_in_process_executor
from pipelines_project.warehouse.database import Warehouse


@dg.definitions
def resources() -> dg.Definitions:
    """Return the resources, each where its environment variable says.

    Steps run in the run's own process: start-up is paid once, and a killed run leaves no step
    behind that goes on writing. Parallel work is parallel runs.
    """
    return dg.Definitions(
        resources={
            "landing": LandingZone(url=dg.EnvVar("LANDING_URL").get_value() or "data/landing"),
            "warehouse": Warehouse(
                url=dg.EnvVar("WAREHOUSE_URL").get_value() or "data/warehouse.duckdb"
            ),
        },
        executor=locked_in_process_executor,
    )
