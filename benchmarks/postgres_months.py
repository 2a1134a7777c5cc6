"""Land and load months of `orders` with the component SqlTables, in one run of Dagster.

The database, the landing zone and the warehouse are named by the environment.
"""

import os
import sys

import dagster as dg

from pipelines_project.definitions import imported_for_good

# As a process of the code location does.
with imported_for_good():
    from pipelines_project.components.sql_tables import SqlTable, SqlTables
    from pipelines_project.landing.zone import LandingZone
    from pipelines_project.orchestration.delete_stale_files_op import delete_stale_files_op
    from pipelines_project.orchestration.land_op import land_op
    from pipelines_project.orchestration.landing_asset import landing_asset
    from pipelines_project.orchestration.table_assets import monthly_partitions
    from pipelines_project.orchestration.warehouse_asset import warehouse_asset
    from pipelines_project.warehouse.database import Warehouse


def materialize(months: list[str]) -> bool:
    """Materialize the months, and tell whether all succeeded."""
    orders = SqlTable(name="orders", table="orders", key=["id"], month_column="created_at")
    source = SqlTables(source="shop", connection="SHOP_URL", start_month=months[0], tables=[orders])
    [table] = source.monthly_tables()
    partitions = monthly_partitions(months[0])
    assets = [
        landing_asset(table, land_op(table), delete_stale_files_op(table), partitions),
        warehouse_asset(table, partitions),
    ]
    tags = {
        "dagster/asset_partition_range_start": months[0],
        "dagster/asset_partition_range_end": months[-1],
    }
    resources = {
        "landing": LandingZone(url=os.environ["LANDING_URL"]),
        "warehouse": Warehouse(url=os.environ["WAREHOUSE_URL"]),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(assets, instance=instance, tags=tags, resources=resources).success


if __name__ == "__main__":
    sys.exit(not materialize(sys.argv[1:]))
