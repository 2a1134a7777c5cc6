"""The checks of every table: each states a truth, and names the months where it does not hold.

One evaluation covers the months of its run, or every landed month when it runs by itself. Checks
do not block: the load's transaction has kept bad months out already, and blocking would stop the
good ones.
"""

from datetime import UTC, datetime

import dagster as dg
import duckdb
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipelines_project.landing.zone import LandingZone
from pipelines_project.months import month_of, month_start
from pipelines_project.table import Table
from pipelines_project.warehouse.columns import READ_FILES, table_name
from pipelines_project.warehouse.database import Warehouse, quoted

# A re-run may delete the files between the listing and the reading.
read_again_if_deleted = retry(
    retry=retry_if_exception_type(duckdb.IOException),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(multiplier=0.1, max=2),
    reraise=True,
)


def table_checks(table: Table) -> list[dg.AssetChecksDefinition]:
    """Return the checks of one table, on its landing and on its warehouse asset."""
    return [
        no_stale_files(table),
        current_month_is_fresh(table),
        *([have_unique_keys(table)] if table.key else []),
        warehouse_rows_match_landing(table),
    ]


def no_stale_files(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that no month's folder holds files that a later load has replaced."""

    @dg.asset_check(
        asset=table.landing_key,
        name="no_stale_files",
        description="No month's folder holds files that a later load has replaced.",
    )
    def check(context: dg.AssetCheckExecutionContext, landing: LandingZone) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)
        stale = {
            month: landing.stale_files(table.source, table.name, month, table.keep_loads)
            for month in months
        }
        return check_result({m: ", ".join(files) for m, files in stale.items() if files}, months)

    return check


def current_month_is_fresh(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that the current month was landed lately.

    The asset's freshness policy counts a backfill of an old month as fresh; this does not.
    """

    @dg.asset_check(
        asset=table.landing_key,
        name="current_month_is_fresh",
        description=f"The current month was landed within the last {table.fresh_within}.",
    )
    def check(landing: LandingZone) -> dg.AssetCheckResult:
        now = datetime.now(UTC)
        month = month_of(now)
        load_id = landing.current_load(table.source, table.name, month)
        landed = datetime.fromtimestamp(float(load_id), UTC) if load_id else None
        late = now - (landed or month_start(month)) > table.fresh_within
        wrong = {month: f"last landed: {landed or 'never'}"} if late else {}
        # A warning, because a backfill of old months runs this check too and is no failure.
        return check_result(wrong, [month], dg.AssetCheckSeverity.WARN)

    return check


def have_unique_keys(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that a month of the warehouse table has each key once."""
    key = ", ".join(map(quoted, table.key))

    @dg.asset_check(
        asset=table.warehouse_key,
        name=f"{table.name}_have_unique_keys",
        description=f"In a month, each ({', '.join(table.key)}) is one row.",
    )
    def check(
        context: dg.AssetCheckExecutionContext, landing: LandingZone, warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)
        if not is_loaded(warehouse, table.source, table.name):
            return check_result({}, months)
        doubled = warehouse.rows(
            f"""
            select month, cast(count(*) - count(distinct ({key})) as varchar) || ' rows too many'
            from "{table.source}"."{table.name}"
            where list_contains($months, month)
            group by month
            having count(*) > count(distinct ({key}))
            """,
            {"months": months},
        )
        return check_result(dict(doubled), months)

    return check


def warehouse_rows_match_landing(table: Table) -> dg.AssetChecksDefinition:
    """Return the check that the warehouse has as many rows of a month as its current load."""

    @dg.asset_check(
        asset=table.warehouse_key,
        name="warehouse_rows_match_landing",
        description="The warehouse has as many rows of each month as the month's current load.",
    )
    def check(
        context: dg.AssetCheckExecutionContext, landing: LandingZone, warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        months = months_to_check(context, table, landing)
        has_table = is_loaded(warehouse, table.source, table.name)
        with warehouse.connect(landing) as connection:
            counts = {
                month: (
                    _landed_rows(connection, landing, table, month),
                    _loaded_rows(connection, landing, table, month) if has_table else 0,
                )
                for month in months
            }
        wrong = {
            month: f"{landed} rows landed, {loaded} in the warehouse"
            for month, (landed, loaded) in counts.items()
            if landed != loaded
        }
        return check_result(wrong, months)

    return check


@read_again_if_deleted
def _landed_rows(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, table: Table, month: str
) -> int:
    load = landing.current_files(table.source, table.name, month)
    if load is None:
        return 0
    query = f"select count(*) from {READ_FILES}"
    return connection.execute(query, {"files": load.files}).fetchall()[0][0]


def _loaded_rows(
    connection: duckdb.DuckDBPyConnection, landing: LandingZone, table: Table, month: str
) -> int:
    query = f"select count(*) from {table_name(table.place(landing, month))} where month = $month"
    return connection.execute(query, {"month": month}).fetchall()[0][0]


def is_loaded(warehouse: Warehouse, source: str, table: str) -> bool:
    """Return whether any month of the table was ever loaded, so that there is a table to ask."""
    query = """
        select 1 from duckdb_tables()
        where database_name = 'warehouse' and schema_name = $source and table_name = $table
    """
    return bool(warehouse.rows(query, {"source": source, "table": table}))


def months_to_check(
    context: dg.AssetCheckExecutionContext, table: Table, landing: LandingZone
) -> list[str]:
    """Return the months of the run, or all that are landed if the check runs by itself."""
    run = context.op_execution_context
    if run.has_partition_key or run.has_partition_key_range:
        return list(run.partition_keys)
    return landing.months(table.source, table.name)


def check_result(
    wrong: dict[str, str],
    months: list[str],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Return the result that names the months where the check's truth does not hold, and why."""
    metadata = {"wrong": wrong, "months": months}
    return dg.AssetCheckResult(passed=not wrong, severity=severity, metadata=metadata)
