"""What Dagster knows of a table: its asset keys, its partitions, and how many a run takes."""

from collections.abc import Sequence

import dagster as dg

from pipelines_project.months import KEY_FORMAT, checked_month
from pipelines_project.table import Table


def landing_key(table: Table) -> dg.AssetKey:
    """Return the key of the asset that lands the table."""
    return dg.AssetKey(["landing", table.source, table.name])


def warehouse_key(table: Table) -> dg.AssetKey:
    """Return the key of the asset that loads the table."""
    return dg.AssetKey(["warehouse", table.source, table.name])


def asset_of_step(step_key: str) -> str:
    """Return the name of the asset, or of the op, that a step is part of.

    The steps of a landing are ops inside of the asset's graph.
    """
    return step_key.partition(".")[0]


def names_of(source: str, tables: Sequence[Table]) -> dg.Enum:
    """Return what a job's config takes for a table, which the launchpad then proposes.

    Dagster names the type where it refuses a value, so its name says what there is.
    """
    names = [table.name for table in tables]
    return dg.Enum(f"tables of {source}: {', '.join(names)};", [*map(dg.EnumValue, names)])


def monthly_partitions(start_month: str) -> dg.MonthlyPartitionsDefinition:
    """Return the months from `start_month` on, the current one included.

    The current month is a partition although it has not ended, because people want to see
    today's rows; the schedule lands it again until it is complete.
    """
    return dg.MonthlyPartitionsDefinition(
        start_date=checked_month(start_month), fmt=KEY_FORMAT, end_offset=1
    )


def backfill_policy(table: Table) -> dg.BackfillPolicy:
    """Return how many months of the table a run of a backfill takes."""
    if table.months_per_run is None:
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(table.months_per_run)
