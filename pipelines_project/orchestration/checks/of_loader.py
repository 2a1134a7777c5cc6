"""Which checks a warehouse table has, which hangs on how its rows are loaded."""

from collections.abc import Sequence

from pipelines_project.orchestration.checks.history import (
    versions_do_not_overlap,
    warehouse_states_what_is_landed,
)
from pipelines_project.orchestration.checks.monthly_check import MonthlyCheck
from pipelines_project.orchestration.checks.warehouse import (
    have_unique_keys,
    warehouse_rows_match_landing,
)
from pipelines_project.table import Table
from pipelines_project.warehouse.loaders.history import History


def warehouse_checks(table: Table) -> Sequence[MonthlyCheck]:
    """Return the checks of a table whose rows are replaced, or whose versions are kept."""
    if isinstance(table.loader, History):
        return [
            versions_do_not_overlap(table),
            warehouse_states_what_is_landed(table, table.loader),
        ]
    unique = [have_unique_keys(table)] if table.key else []
    # In this order, the landing zone is read before the warehouse is open.
    return [warehouse_rows_match_landing(table), *unique]
