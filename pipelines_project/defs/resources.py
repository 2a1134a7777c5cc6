"""What every source shares: the landing zone, the warehouse, and how a run is executed."""

from dataclasses import replace

import dagster as dg

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration.run_launcher import locked_in_process_executor
from pipelines_project.orchestration.run_lines import FOLLOWED, followed_logger
from pipelines_project.warehouse.database import Warehouse


@dg.definitions
def resources() -> dg.Definitions:
    """Return the resources, each where its environment variable says.

    They take no config: a run that lands or loads elsewhere than the others would be a month that
    Dagster's history has and the landing zone has not.

    Steps run in the run's own process: start-up is paid once, and a killed run leaves no step
    behind that goes on writing. Parallel work is parallel runs.
    """
    zone, loaded = landing_zone(), warehouse()

    def warehouse_of_run(context: dg.InitResourceContext) -> Warehouse:
        return replace(loaded, log=context.log or loaded.log)

    return dg.Definitions(
        resources={
            "landing": dg.ResourceDefinition(lambda _: zone, config_schema={}),
            "warehouse": dg.ResourceDefinition(warehouse_of_run, config_schema={}),
        },
        executor=locked_in_process_executor,
        loggers={"console": dg.colored_console_logger, FOLLOWED: followed_logger},
    )


def landing_zone() -> LandingZone:
    """Return the landing zone that `LANDING_URL` names."""
    return LandingZone(url=dg.EnvVar("LANDING_URL").get_value() or "data/landing")


def warehouse() -> Warehouse:
    """Return the warehouse that `WAREHOUSE_URL` names, whose marts go to `PUBLISHED_URL` too.

    DuckLake keeps its data at `WAREHOUSE_DATA_URL`. Unless `PUBLISHED_URL` is set it is in the
    landing zone, where no source has such a name, so that who sets other places for a trial leaves
    the marts that others read alone.
    """
    return Warehouse(
        url=dg.EnvVar("WAREHOUSE_URL").get_value() or "data/warehouse.duckdb",
        data_url=dg.EnvVar("WAREHOUSE_DATA_URL").get_value() or "",
        published_url=published_url(),
    )


def published_url() -> str:
    """Return where marts are kept as parquet, which `PUBLISHED_URL` names."""
    return dg.EnvVar("PUBLISHED_URL").get_value() or f"{landing_zone().url}/_published"
